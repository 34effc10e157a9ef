"""The same differences by kind of network: thirds of cost, widths, and the trend with cost. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from archsearch.ablate.intervals import SAME, mean_interval
from archsearch.cost.budget import show

Floats = NDArray[np.float64]
LEAST = 3  # pairs of a group that has an interval
LEAST_TREND = 5  # pairs from which a slope is told
LEVERAGE = 1 - 1e-9  # a pair above it fixes the line alone, and its residual says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The effect among some of the pairs; NaN = not known."""

    name: str
    pairs: int
    mean: float
    low: float  # ends of the 95 % interval
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """How the difference changes when MAdds double; fractions of top-1."""

    slope: float
    low: float  # ends of the 95 % interval
    high: float
    p: float


def bands(differences: Floats, madds: Floats, rng: np.random.Generator) -> list[Group]:
    """Thirds of the pairs by MAdds, cheapest first; none where all cost the same.

    differences, madds  float[pairs]; pairs with a NaN are left out
    Pairs of equal cost stay together, so thirds may differ in size, and there may be two of them only.
    """
    known = ~np.isnan(differences + madds)
    if not known.any():
        return []
    cuts = np.quantile(madds[known], [1 / 3, 2 / 3], method="inverted_cdf")
    place = np.where(known, (madds[:, None] > cuts).sum(axis=1), -1)
    found = [(_span(madds[place == each]), differences[place == each]) for each in range(3) if (place == each).any()]
    return _groups(found, rng)


def widths(differences: Floats, width: Floats, rng: np.random.Generator) -> list[Group]:
    """The pairs by width multiplier, narrowest first; none where there is one only.

    differences, width  float[pairs]; pairs with a NaN are left out
    """
    known = ~np.isnan(differences + width)
    return _groups([(f"width {each:g}", differences[known & (width == each)]) for each in np.unique(width[known])], rng)


def _span(madds: Floats) -> str:
    ends = [show(float(each), "madds") for each in (madds.min(), madds.max())]
    return f"{' to '.join(dict.fromkeys(ends))} MAdds"


def _groups(parts: Sequence[tuple[str, Floats]], rng: np.random.Generator) -> list[Group]:
    if len(parts) < 2:
        return []
    found = []
    for name, values in parts:
        low, high = mean_interval(values, rng) if len(values) >= LEAST else (np.nan, np.nan)
        found.append(Group(name=name, pairs=len(values), mean=float(values.mean()), low=float(low), high=float(high)))
    return found


def trend(differences: Floats, madds: Floats) -> Trend | None:
    """Slope of the difference over log2 of MAdds, by least squares; errors of HC3 and Student's distribution.

    differences, madds  float[pairs]; pairs with a NaN are left out
    returns  None for fewer than five pairs or three costs, where no line is needed (no spread about it), and where
             one pair alone fixes the line
    Source: MacKinnon and White 1985, Journal of Econometrics 29, 305, for errors that differ from pair to pair.
    """
    known = ~np.isnan(differences + madds)
    y, x = differences[known], np.log2(madds[known])
    if len(y) < LEAST_TREND or len(np.unique(x)) < 3:
        return None
    design = np.column_stack([np.ones(len(x)), x - x.mean()])
    leverage = 1 / len(x) + design[:, 1] ** 2 / (design[:, 1] ** 2).sum()
    plain = OLS(y, design).fit()
    if leverage.max() > LEVERAGE or np.ptp(plain.resid) <= SAME:
        return None
    found = plain.get_robustcov_results("HC3", use_t=True)
    low, high = found.conf_int(0.05)[1]
    return Trend(slope=float(found.params[1]), low=float(low), high=float(high), p=float(found.pvalues[1]))
