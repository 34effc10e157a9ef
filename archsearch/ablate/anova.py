"""Several factors at once: which of them, and which two together, explain the accuracies within pairs.

statsmodels has both analyses, yet its AnovaRM corrects no p value for levels whose differences vary unlike, and its
anova_lm refuses fractions in which terms are mixed up; so the sums of squares are ours, and tests compare them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.linalg import helmert

from archsearch.ablate.contrasts import mean
from archsearch.ablate.intervals import SAME
from archsearch.ablate.statistics import holm
from archsearch.errors import ArchSearchError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Key = tuple[int, ...]  # the factors of a term
EXACT = 1e-12  # of all squares: what is below is round-off


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One factor, or two together, in the analysis of variance; NaN = not known."""

    name: str  # like "bottleneck x shortcut"
    order: int  # 1 for a factor, 2 for an interaction
    f: float
    df: int
    df_error: int
    p: float
    p_holm: float  # over all terms that can be estimated
    eta: float  # partial eta squared: the share of what the other terms leave
    estimable: bool  # False: in these treatments it cannot be told from other terms
    error: str  # "own": what this very effect varies by from pair to pair; "pooled": what all terms leave together
    epsilon: float  # by which the degrees of freedom of an own error are cut for p; NaN for a pooled one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Design:
    """Columns of each term over the measured cells, and the accuracies there."""

    y: Floats  # float[cells]
    pairs: Floats  # float[cells, pairs]: a column a pair, one where the cell is of that pair
    columns: dict[Key, Floats]
    fine: frozenset[Key]  # the terms that can be estimated

    @property
    def nothing(self) -> float:
        """Sums of squares up to this are round-off."""
        return EXACT * float(self.y.var() * len(self.y)) + len(self.y) * SAME**2 if len(self.y) else 0.0

    def matrix(self, keys: Sequence[Key]) -> Floats:
        """The pairs and these terms side by side."""
        return np.hstack([self.pairs, *(self.columns[key] for key in keys)])

    def squares(self, keys: Sequence[Key]) -> float:
        """Residual sum of squares of a model with these terms."""
        matrix = self.matrix(keys)
        return float(((self.y - matrix @ np.linalg.lstsq(matrix, self.y)[0]) ** 2).sum())


def anova(top1: Floats, treatments: Ints, names: Sequence[str]) -> list[Term]:
    """F tests of each factor and each two of them, on means over seeds, every pair with a level of its own.

    Seeds of one pair are no new networks, so they are averaged first. Where at least half of the pairs have every
    treatment, those pairs alone are taken, and each term is tested against its own error: an effect that varies from
    pair to pair then needs more to be shown, and leaves the other terms alone. Of one degree of freedom that is the t
    test on one contrast a pair. With more the degrees of freedom are cut by Greenhouse and Geisser's epsilon, for
    levels need not vary alike; Hotelling's test needs more pairs than degrees of freedom, which few ablations have.

    In a fraction of a design, where pairs lack treatments, the error is pooled: what the model with all terms leaves.
    It is taken as equal for all terms, so where one effect varies far more over pairs than another, the p value of the
    first is too small. The tests are of type II: a term against what the model without it, and without the
    interactions that contain it, leaves. Terms can be mixed up there: one that cannot be told from the other terms of
    its order or below is there with `estimable` False and no numbers.

    top1     float[pairs, treatments, seeds], fractions; NaN = not measured
    treatments  int[treatments, factors]: the number of the level of each factor
    names    of the factors
    returns  factors first, then interactions. Where nothing is left to tell the error from, or nothing varies at all,
             there is no F; an effect alike in all n pairs has an infinite F and, its error being its own, the p of the
             sign test, 2 / 2^n
    raises   ArchSearchError unless the shapes go together
    Source: Greenhouse and Geisser 1959, Psychometrika 24, 95.
    """
    if top1.ndim != 3 or treatments.shape != (top1.shape[1], len(names)):
        raise ArchSearchError(f"{len(names)} factors and accuracies {top1.shape} ask for treatments "
                              f"[{top1.shape[1]}, {len(names)}], got {treatments.shape}")  # fmt: skip
    means = mean(top1, axis=2)
    whole = _whole(means, treatments)
    if len(whole):
        keys = [key for order in (1, 2) for key in combinations(range(len(names)), order)]
        found = [_own(whole @ _contrasts(treatments, key), key, names) for key in keys]
    else:
        found = _pooled(means, treatments, names)
    adjusted = holm([each.p for each in found])
    return [replace(each, p_holm=p) for each, p in zip(found, adjusted, strict=True)]


def _whole(means: Floats, treatments: Ints) -> Floats:
    """The pairs with all combinations of levels, float[pairs, treatments]; none where they are fewer than half."""
    levels = [len(np.unique(column)) for column in treatments.T]
    crossed = min(levels, default=0) > 1 and len(treatments) == len(np.unique(treatments, axis=0)) == math.prod(levels)
    known = ~np.isnan(means)
    whole = known.all(axis=1)
    return means[whole] if crossed and 2 * whole.sum() >= known.any(axis=1).sum() else means[:0]


def _contrasts(treatments: Ints, key: Key) -> Floats:
    """Orthonormal contrasts of a term over all combinations of levels, float[treatments, degrees of freedom]."""
    columns = np.ones((len(treatments), 1))
    for factor in key:
        levels, place = np.unique(treatments[:, factor], return_inverse=True)
        own = helmert(len(levels)).T[place]
        columns = (columns[:, :, None] * own[:, None, :]).reshape(len(treatments), -1)
    return np.asarray(columns / np.sqrt((columns**2).sum(axis=0)))


def _own(values: Floats, key: Key, names: Sequence[str]) -> Term:
    """The test of one term against what its contrasts (float[pairs, degrees of freedom]) vary by over pairs."""
    n, df = values.shape
    apart = values - values.mean(axis=0)
    gain, error = (0.0 if part <= values.size * SAME**2 else float(part)
                   for part in (n * (values.mean(axis=0) ** 2).sum(), (apart**2).sum()))  # fmt: skip
    f = p = eta = epsilon = math.nan
    if n > 1 and max(gain, error) > 0:
        eta = gain / (gain + error)
        f = gain / error * (n - 1) if error > 0 else math.inf
        spread = apart.T @ apart
        epsilon = float(np.trace(spread) ** 2 / (df * (spread**2).sum())) if error > 0 else math.nan
        p = float(stats.f.sf(f, epsilon * df, epsilon * df * (n - 1))) if error > 0 else 2 * 0.5**n
    return Term(name=_name(key, names), order=len(key), f=f, df=df, df_error=df * (n - 1), p=p, p_holm=math.nan,
                eta=eta, estimable=True, error="own", epsilon=epsilon)  # fmt: skip


def _name(key: Key, names: Sequence[str]) -> str:
    return " x ".join(names[each] for each in key)


def _pooled(means: Floats, treatments: Ints, names: Sequence[str]) -> list[Term]:
    """The tests of all terms against one error, which the model with all of them leaves."""
    design = _design(means, treatments)
    every = [*design.columns]
    free = len(design.y) - _rank(design.matrix(every))
    error = design.squares(every) if free > 0 else math.nan
    error = 0.0 if error <= design.nothing else error
    return [_term(design, key, names, free=free, error=error) for key in every]


def _design(means: Floats, treatments: Ints) -> _Design:
    """Dummy columns of the measured cells (means: float[pairs, treatments])."""
    pair, treatment = np.nonzero(~np.isnan(means))
    factors = treatments.shape[1]
    columns: dict[Key, Floats] = {}
    for factor in range(factors):
        levels = np.unique(treatments[:, factor])[1:]  # those beside the lowest
        columns[(factor,)] = (treatments[treatment, factor][:, None] == levels).astype(float)
    for a, b in combinations(range(factors), 2):
        product = columns[(a,)][:, :, None] * columns[(b,)][:, None, :]
        columns[(a, b)] = product.reshape(len(pair), columns[(a,)].shape[1] * columns[(b,)].shape[1])
    blocks = (pair[:, None] == np.unique(pair)).astype(float)
    made = _Design(y=means[pair, treatment], pairs=blocks, columns=columns, fine=frozenset())
    fine = frozenset(key for key in columns if _estimable(made, key))
    return _Design(y=made.y, pairs=blocks, columns=columns, fine=fine)


def _estimable(design: _Design, key: Key) -> bool:
    """Whether all of a term is new to the pairs and the other terms of its order or below."""
    rest = [each for each in design.columns if each != key and len(each) <= len(key)]
    gain = _rank(design.matrix([*rest, key])) - _rank(design.matrix(rest))
    return bool(gain == design.columns[key].shape[1] > 0)


def _rank(matrix: Floats) -> int:
    return int(np.linalg.matrix_rank(matrix)) if matrix.size else 0


def _term(design: _Design, key: Key, names: Sequence[str], *, free: int, error: float) -> Term:
    """The type II test of one term, given the degrees of freedom and the squares of the error."""
    df, estimable = design.columns[key].shape[1], key in design.fine
    f = p = eta = math.nan
    if estimable and free > 0:
        rest = [each for each in design.columns if not set(key) <= set(each) and _counts(design, each, key)]
        gain = max(design.squares(rest) - design.squares([*rest, key]), 0.0)
        if max(gain, error) > design.nothing:
            eta = gain / (gain + error)
            f = gain / df / (error / free) if error > 0 else math.inf
            p = float(stats.f.sf(f, df, free))
    return Term(name=_name(key, names), order=len(key), f=f, df=df, df_error=free, p=p, p_holm=math.nan, eta=eta,
                estimable=estimable, error="pooled", epsilon=math.nan)  # fmt: skip


def _counts(design: _Design, other: Key, key: Key) -> bool:
    """Whether a term is tested beside another one: one that is known, or of its order or below."""
    return other in design.fine or len(other) <= len(key)
