"""What the differences of the pairs show: mean with interval, tests, wins, a verdict in words. Pure.

Differences are level less base, in fractions of top-1; people read percentage points.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from archsearch.ablate.contrasts import DECIMALS
from archsearch.ablate.intervals import RESAMPLES, SAME, gap_interval, mean_interval, proportion

Floats = NDArray[np.float64]
ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a level adds to its base over all pairs; NaN = not known."""

    pairs: int
    mean: float
    low: float  # ends of the 95 % interval of the mean
    high: float
    sd: float  # of the differences over pairs
    p: float  # paired t test
    wilcoxon: float  # signed rank test
    wins: int  # pairs in which the level is the better one
    ties: int
    losses: int
    win_rate: float  # ties count half
    win_low: float  # ends of its 95 % interval, given how many ties there are
    win_high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def effect(differences: Floats, rng: np.random.Generator, *, resamples: int = RESAMPLES) -> Effect:
    """What the differences of the pairs say; the interval is `intervals.mean_interval`.

    differences  float[pairs]; NaN is left out, and so is round-off: what lies within 1e-12 of zero is a tie
    returns  one pair: a mean, no interval, p values of 1. All differences equal: their sd is 0 and there is no t test,
             so p is that of the sign test (1 where all are ties); the interval has no width, or with fewer than 8 pairs
             there is none, for accuracies are counts and two of them are equal easily
    """
    known = np.round(differences[~np.isnan(differences)], DECIMALS)
    n = len(known)
    low, high = mean_interval(known, rng, resamples=resamples)
    wins, losses = int((known > 0).sum()), int((known < 0).sum())
    rate, win_low, win_high = win_rate(wins, n - wins - losses, losses)
    return Effect(
        pairs=n, mean=float(known.mean()) if n else math.nan, low=float(low), high=float(high), sd=sd(known),
        p=t_test(known), wilcoxon=signed_rank(known), wins=wins, ties=n - wins - losses, losses=losses,
        win_rate=rate, win_low=win_low, win_high=win_high,
    )  # fmt: skip


def sd(values: Floats) -> float:
    """Standard deviation (n - 1); NaN for fewer than two values."""
    if len(values) < 2:
        return math.nan
    return float(values.std(ddof=1)) if np.ptp(values) > SAME else 0.0


def t_test(differences: Floats) -> float:
    """p of Student's test of mean zero; of the sign test where all differences are equal; NaN without any."""
    n = len(differences)
    if n == 0:
        return math.nan
    if np.ptp(differences) <= SAME:
        return 1.0 if abs(differences[0]) <= SAME else 2 * 0.5**n
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def signed_rank(differences: Floats) -> float:
    """p of Wilcoxon's signed rank test, ties with zero left out; 1 where all are; NaN without any difference."""
    if len(differences) == 0:
        return math.nan
    if not (np.abs(differences) > SAME).any():
        return 1.0
    return float(stats.wilcoxon(differences).pvalue)


def win_rate(wins: int, ties: int, losses: int) -> tuple[float, float, float]:
    """The share of pairs that the level wins, ties half, and its interval; NaN for the share of no pairs.

    The interval is Clopper and Pearson's of wins among wins and losses, put on the scale of all pairs: it holds the
    rate, and leaves out one half just where the binomial test rejects.
    """
    n, decided = wins + ties + losses, wins + losses
    if n == 0:
        return math.nan, math.nan, math.nan
    low, high = proportion(wins, decided)
    return (ties / 2 + wins) / n, (ties / 2 + decided * low) / n, (ties / 2 + decided * high) / n


def unpaired(base: Floats, level: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Interval of mean(level) - mean(base) as if other networks had been trained with each: what pairing gains.

    base, level  float[n], float[m] accuracies, one a network; NaN is left out
    """
    return gap_interval(base[~np.isnan(base)], level[~np.isnan(level)], rng)


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted so that even one false alarm among them is as rare as a test promises; NaN stays NaN.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65.
    """
    p = np.array(p_values, dtype=float)
    known = ~np.isnan(p)
    if known.any():
        p[known] = multipletests(p[known], alpha=ALPHA, method="holm")[1]
    return [float(each) for each in p]


def shown(found: Effect, p_holm: float | None = None) -> bool:
    """Whether the effect is there for all that one can tell: no zero in the interval, and Holm's p below 0.05.

    p_holm   where several comparisons are made; None for a single one
    """
    return found.clear and (p_holm is None or p_holm < ALPHA)


def sentence(base: str, level: str, found: Effect, *, shown: bool, seeds: int, smallest: float = math.nan) -> str:
    """The verdict in words, like "relu6 minus linear: -1.20 points [-1.70, -0.71], lower in 27 of 30 pairs: shown".

    smallest effect that such a run would show, see `power.smallest_effect`; NaN = not known
    """
    name = f"{level} minus {base}"
    if found.pairs == 0:
        return f"{name}: no pair has both"
    between = "no interval" if math.isnan(found.low) else f"[{points(found.low)}, {points(found.high)}]"
    count, word = (found.losses, "lower") if found.mean < 0 else (found.wins, "higher")
    said = f"{name}: {points(found.mean)} points {between}, {word} in {count} of {plural(found.pairs, 'pair')}"
    if shown:
        return f"{said}: shown"
    if math.isnan(smallest):
        return f"{said}: not shown"
    verb = "show" if found.pairs + seeds > 2 else "shows"
    return (
        f"{said}: not shown ({plural(found.pairs, 'pair')} and {plural(seeds, 'seed')} {verb} "
        f"{100 * smallest:.2f} points or more)"
    )


def points(value: float) -> str:
    """A difference in percentage points with its sign; nothing is -0.00."""
    return f"{round(100 * value, 2) + 0.0:+.2f}"


def plural(count: int, word: str) -> str:
    """A count with its word: 1 pair, 2 pairs."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
