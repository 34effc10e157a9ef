"""Tables behind the figures of an ablation: networks, pairs of levels, levels, means of cells."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

SEED = "seed "  # columns of the networks table that hold one seed's top-1
NUMBERS = ("madds", "params", "multiplier", "top1", "sd")  # its other columns, after pair, label and factors


def networks_data(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a pair and treatment: pair, label, the factors, NUMBERS, and each seed's top-1.

    rows     as ablation.csv has them: one row a training; the columns between `pair` and `seed` are the factors. Read
             levels that look like numbers as text (`dtype={"width": str}`), to have them as the document does
    multiplier  of width; in older files this column is called width
    top1     mean of the seeds that have a result, NaN where none has; sd over them, NaN with fewer than two
    """
    factors = factors_of(rows)
    keys = ["pair", *factors]
    if rows.empty:
        return pd.DataFrame(columns=["pair", "label", *factors, *NUMBERS]).astype(dict.fromkeys(NUMBERS, float))
    if "multiplier" not in rows and "width" not in factors:
        rows = rows.rename(columns={"width": "multiplier"})
    made = rows.assign(**{name: rows[name].astype(str) for name in factors}, top1=rows["top1"].astype(float))
    grouped = made.groupby(keys, sort=False)
    data = grouped.agg(madds=("madds", "first"), params=("params", "first"), multiplier=("multiplier", "first"),
                       top1=("top1", "mean"), sd=("top1", "std"))  # fmt: skip
    seeds = made.pivot_table(index=keys, columns="seed", values="top1", dropna=False, observed=True)
    data = data.join(seeds.rename(columns=lambda seed: f"{SEED}{seed}")).reset_index()
    data.insert(1, "label", data[factors].agg(", ".join, axis=1))
    return data.sort_values("pair", kind="stable", ignore_index=True)


def factors_of(rows: pd.DataFrame) -> list[str]:
    """The names of the factors of ablation.csv, from its header; none where it has none."""
    names = list(rows.columns)
    return names[names.index("pair") + 1 : names.index("seed")] if names else []


def comparison_data(networks: pd.DataFrame, factor: str, base: str, level: str) -> pd.DataFrame:
    """One row a pair that has both: pair, base, level, difference (fractions of top-1), madds, multiplier, se.

    networks  as `networks_data` makes it
    Treatments that differ in this factor alone are compared, seed by seed, so that a failed training tilts nothing; a
    pair without such two (a fraction of a design) takes the means of its treatments with the level and with the base,
    and is left out where the levels of another factor do not come as often with both.
    madds    geometric mean over the pair's treatments; multiplier (of width) of its first one
    se       standard error of the difference over seeds, NaN with one
    """
    seeds = [name for name in networks if str(name).startswith(SEED)] or ["top1"]
    names = list(networks.columns)
    others = [name for name in names[names.index("label") + 1 : names.index("madds")] if name != factor]
    known = networks[networks["top1"].notna()]
    matched = _sides(known, factor, (base, level), ["pair", *others], seeds).groupby(level="pair").mean()
    left = _whole(_balanced(known[~known["pair"].isin(matched.index)], factor, (base, level), others), seeds)
    found = pd.concat([matched, _sides(left, factor, (base, level), ["pair"], seeds)]).sort_index()
    gap = found["level"] - found["base"]
    data = pd.DataFrame({
        "base": found["base"].mean(axis=1), "level": found["level"].mean(axis=1), "difference": gap.mean(axis=1),
        "madds": np.exp(np.log(networks["madds"].astype(float)).groupby(networks["pair"]).mean()).reindex(found.index),
        "multiplier": networks.groupby("pair")["multiplier"].first().reindex(found.index),
        "se": gap.std(axis=1, ddof=1) / np.sqrt(gap.notna().sum(axis=1)),
    })  # fmt: skip
    return data.reset_index()


def _sides(
    rows: pd.DataFrame, factor: str, names: tuple[str, str], keys: Sequence[str], seeds: Sequence[str]
) -> pd.DataFrame:
    """One row a key that both levels have, one column a side and seed; NaN where a seed lacks one of the two."""
    means = (rows[rows[factor] == name].groupby(list(keys))[list(seeds)].mean() for name in names)
    low, high = next(means).align(next(means), join="inner", axis=0)
    both = low.notna() & high.notna()
    return pd.concat({"base": low.where(both), "level": high.where(both)}, axis=1)[both.any(axis=1)]


def _balanced(rows: pd.DataFrame, factor: str, names: tuple[str, str], others: Sequence[str]) -> pd.DataFrame:
    """The pairs in which every level of each other factor comes as often with both levels."""
    compared = rows[rows[factor].isin(names)]
    uneven: set[int] = set()
    for other in others:
        counts = compared.groupby(["pair", other, factor]).size().unstack(fill_value=0)
        counts = counts.reindex(columns=list(names), fill_value=0)
        uneven.update(counts.index.get_level_values("pair")[counts[names[0]] != counts[names[1]]])
    return rows[~rows["pair"].isin(uneven)]


def _whole(rows: pd.DataFrame, seeds: Sequence[str]) -> pd.DataFrame:
    """Only the seeds that all treatments of a pair have; all of them in a pair without such a seed."""
    lacks = rows[list(seeds)].isna().groupby(rows["pair"]).transform("any")
    lacks = lacks.mul(~lacks.all(axis=1), axis=0).astype(bool)
    return rows.assign(**{name: rows[name].mask(lacks[name]) for name in seeds})


def levels_data(networks: pd.DataFrame, factor: str) -> pd.DataFrame:
    """One row a pair and level of one factor: pair, level, madds, top1; means over the pair's treatments with it."""
    known = networks[networks["top1"].notna()]
    data = known.groupby(["pair", factor], sort=False)[["madds", "top1"]].mean().reset_index()
    return data.rename(columns={factor: "level"})


def cost_ratios(networks: pd.DataFrame, factor: str, base: str, level: str) -> np.ndarray:
    """MAdds of a level over those of its base, float[pairs]: geometric means over a pair's treatments with each."""
    logs = np.log(networks["madds"].astype(float)).groupby([networks["pair"], networks[factor]]).mean().unstack()
    if base not in logs or level not in logs:
        return np.empty(0)
    return np.exp((logs[level] - logs[base]).dropna()).to_numpy()


def edf_curves(levels: pd.DataFrame, names: Sequence[str], *, confidence: float = 0.95) -> dict[str, Any]:
    """Of each level the distribution function of its error, as `edf.edf_data` takes them: x, share, low, high.

    levels   as `levels_data` makes it; a level without a result is left out
    The band holds the whole true function with this confidence (Kolmogorov's exact distribution, scipy's `kstwo`).
    """
    made = {}
    for name in names:
        errors = 1 - levels["top1"][levels["level"] == name].to_numpy(dtype=float)
        if len(errors):
            cdf, eps = stats.ecdf(errors).cdf, float(stats.kstwo.ppf(confidence, len(errors)))
            share = cdf.probabilities
            made[name] = SimpleNamespace(x=cdf.quantiles, share=share, low=np.maximum(share - eps, 0),
                                         high=np.minimum(share + eps, 1))  # fmt: skip
    return made


def bands_data(data: pd.DataFrame, bands: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a band of MAdds with an interval: name, left, right [MAdds], mean, low, high.

    data     as `comparison_data` makes it
    bands    as the document has them, from few MAdds to many; where their counts do not add up to the pairs of `data`
             they are taken as equal parts
    """
    ordered = np.sort(data["madds"].to_numpy(dtype=float))
    counts = [int(band["pairs"] or 0) for band in bands]
    edges = np.cumsum(counts)[:-1] if sum(counts) == len(ordered) else len(bands)
    parts = np.array_split(ordered, edges) if len(bands) else []
    ends = ("mean", "low", "high")
    made = [
        {"name": band["name"], "left": part[0], "right": part[-1], **{end: band[end] for end in ends}}
        for band, part in zip(bands, parts, strict=True)
        if len(part) and band.get("low") is not None
    ]
    return pd.DataFrame(made, columns=["name", "left", "right", *ends])


def cells_data(networks: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """One row a cell of two factors: lines, across (factors), line, place (levels), mean, half (of a 95 % interval).

    factors  name -> levels
    Each pair's own mean is taken out first and the mean of all put back, so that intervals are of the effects and not
    of how much networks differ (Cousineau 2005, with the correction of Morey 2008, doi:10.20982/tqmp.04.2.p061).
    half     NaN with fewer than two pairs in a cell
    """
    known = networks[networks["top1"].notna()]
    made = []
    for lines, across in combinations(factors, 2):
        own = known.groupby(["pair", lines, across])["top1"].mean().reset_index()
        own["top1"] += own["top1"].mean() - own.groupby("pair")["top1"].transform("mean")
        count = len(factors[lines]) * len(factors[across])
        for (line, place), values in own.groupby([lines, across])["top1"]:
            n = len(values)
            wide = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) if n > 1 else math.nan
            half = wide * math.sqrt(count / (count - 1) / n)
            made.append((lines, across, line, place, float(values.mean()), float(half)))
    return pd.DataFrame(made, columns=["lines", "across", "line", "place", "mean", "half"])
