"""How well latencies that others measured are foretold from a part of them, beside simpler ways of foretelling."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.bench.outside_tables import Measured, blocks, networks
from archsearch.cost.metrics import MADDS, PARAMS, Metric
from archsearch.cost.shape_features import features
from archsearch.cost.shape_model import fit

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Told = Callable[[int, int, str], None]  # (steps done, of, what comes next)

SHARES = {"i7-8700K": (0.5, 0.2, 0.05), "Pixel 1": (0.9, 0.5)}  # of the distinct shapes, learned from
PRICES = "prices alone"
FIGURES = {  # how a way of foretelling did on what was left out
    "median": lambda error: np.median(error),
    "p95": lambda error: np.percentile(error, 95),
}


def measure(folder: Path, *, splits: int, seed: int, told: Told = lambda *_: None) -> dict[str, Any]:
    """Errors and rank correlations on what was left out: medians over random splits, and lowest and highest.

    raises   DataError where a table cannot be read
    """
    steps = sum(len(shares) for shares in SHARES.values()) + 1
    rows: list[dict[str, Any]] = []
    for device, shares in SHARES.items():
        measured = blocks(folder, device)
        for share in shares:
            told(len(rows), steps, f"{device}, {share:.0%}")
            rows.append({"device": device, "share": share, **foretell(measured, share, splits=splits, seed=seed)})
    told(steps - 1, steps, "networks")
    whole = foretell(networks(folder), 0.5, splits=splits, seed=seed, ranked=True)
    return {"splits": splits, "seed": seed, "blocks": rows, "networks": {"share": 0.5, **whole}}


def foretell(measured: Measured, share: float, *, splits: int, seed: int, ranked: bool = False) -> dict[str, Any]:
    """The figures of all ways on random splits: way -> figure -> [median, lowest, highest].

    share    of the distinct shapes, learned from; a shape is in one part of a split
    ranked   also Kendall's tau and Spearman's rho
    """
    found: dict[str, dict[str, list[float]]] = {}
    within, sizes = [], (0, 0)
    for learn, left in halves(measured, share, splits=splits, seed=seed):
        ways, spread = _ways(measured.take(learn), measured.take(left))
        truth, sizes = measured.ms[left], (len(learn), len(left))
        for way, ms in ways.items():
            for name, value in _figures(ms, truth, ranked=ranked).items():
                found.setdefault(way, {}).setdefault(name, []).append(value)
        within.append(float((np.abs(np.log(ways["model"] / truth)) <= 1.96 * spread).mean()))
    figures = {way: {name: _summary(values) for name, values in each.items()} for way, each in found.items()}
    return {"learned": sizes[0], "left": sizes[1], "ways": figures, "within_95": _summary(within)}


def halves(measured: Measured, share: float, *, splits: int, seed: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Random splits of the distinct shapes: numbers of the rows to learn from, and of the others."""
    shape = np.unique(features(measured.blocks), axis=0, return_inverse=True)[1].reshape(-1)
    number = int(shape.max()) + 1
    for each in range(splits):
        chosen = np.random.default_rng([seed, each]).permutation(number)[: round(share * number)]
        yield np.flatnonzero(np.isin(shape, chosen)), np.flatnonzero(~np.isin(shape, chosen))


def _ways(learn: Measured, left: Measured) -> tuple[dict[str, Floats], float]:
    """What each way of foretelling says of the left-out rows [ms], and the model's own spread."""
    model = fit(learn.blocks, learn.ms)
    ways = {"model": model.predict(left.blocks), PRICES: model.trend(left.blocks)}
    ways |= {f"{metric.name} only": _power_law(learn, left, metric) for metric in (MADDS, PARAMS)}
    return ways, model.spread


def _power_law(learn: Measured, left: Measured, metric: Metric) -> Floats:
    """Latency as a power of one cost, fitted to logarithms."""
    x, ahead = (np.log([float(metric.total(ops)) for ops in part.blocks]) for part in (learn, left))
    slope, level = np.polyfit(x, np.log(learn.ms), 1)
    foretold: Floats = np.exp(slope * ahead + level)
    return foretold


def _figures(ms: Floats, truth: Floats, *, ranked: bool) -> dict[str, float]:
    error = np.abs(ms / truth - 1)
    figures = {name: float(of(error)) for name, of in FIGURES.items()}
    if ranked:
        ranks = [np.sign(each[:, None] - each) for each in (ms, truth)]  # who is above whom
        figures |= {"tau": _cosine(ranks[0], ranks[1])}
        figures |= {"rho": _cosine(ranks[0].sum(axis=1), ranks[1].sum(axis=1))}
    return figures


def _cosine(a: Floats, b: Floats) -> float:
    """Of signs of all pairs Kendall's tau-b, of mean ranks around their middle Spearman's rho."""
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def _summary(values: list[float]) -> list[float]:
    return [float(np.median(values)), min(values), max(values)]
