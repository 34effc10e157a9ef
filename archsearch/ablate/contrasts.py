"""From accuracies of pairs, treatments and seeds to one difference a pair. NumPy only.

A pair is one network that was trained with every treatment; a treatment is one level of each factor.
"""

import numpy as np
from numpy.typing import NDArray

from archsearch.ablate.intervals import SAME
from archsearch.errors import ArchSearchError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DECIMALS = round(-float(np.log10(SAME)))


def contrast(top1: Floats, treatments: Ints, factor: int, level: int) -> Floats:
    """What a level of a factor adds to its base (level 0), a pair: mean over seeds and the other factors' levels.

    top1     float[pairs, treatments, seeds], fractions; NaN = not measured
    treatments  int[treatments, factors]: the number of the level of each factor
    returns  float[pairs]; NaN where a pair lacks one side
    raises   ArchSearchError unless shapes, factor and level go together
    """
    return mean(seed_contrasts(top1, treatments, factor, level), axis=1)


def seed_contrasts(top1: Floats, treatments: Ints, factor: int, level: int) -> Floats:
    """The same for each seed, float[pairs, seeds]; NaN where a seed lacks one side.

    Two treatments that differ in this factor alone are compared, seed by seed, so neither a seed nor a treatment that
    failed tilts the difference. A pair without two such treatments (a fraction of a design) takes what its treatments
    with the level have on average, less what those with the base have: over the seeds that no treatment of it lacks,
    where it has any. That is fair where the levels of the other factors come as often on both sides
    (`design.check_fraction`); a pair in which they do not, since a treatment failed with all its seeds, is NaN.
    """
    _check(top1, treatments, factor, level)
    found = mean(_matched(top1, treatments, factor, level), axis=1)
    alone = np.isnan(found).all(axis=1, keepdims=True)
    if alone.any():
        fair = balanced(np.asarray(~np.isnan(top1).all(axis=2)), treatments, factor, level)
        found = np.where(alone, np.where(fair[:, None], _sides(_whole(top1), treatments, factor, level), np.nan), found)
    return np.asarray(np.round(found, DECIMALS))


def balanced(known: NDArray[np.bool_], treatments: Ints, factor: int, level: int) -> NDArray[np.bool_]:
    """Whether every level of each other factor comes as often with this level as with the base, bool[pairs].

    known    bool[pairs, treatments]: measured
    """
    fair = np.ones(len(known), dtype=bool)
    for other in range(treatments.shape[1]):
        for each in np.unique(treatments[:, other]) if other != factor else ():
            here = treatments[:, other] == each
            counts = (known[:, here & (treatments[:, factor] == side)].sum(axis=1) for side in (0, level))
            fair &= next(counts) == next(counts)
    return fair


def sides(top1: Floats, treatments: Ints, factor: int, level: int) -> tuple[Floats, Floats]:
    """Accuracy of the base and of the level of a factor, a pair, float[pairs] each: means, as if nothing paired them.

    NaN where a pair has no such treatment.
    """
    _check(top1, treatments, factor, level)
    base, other = (mean(mean(top1[:, treatments[:, factor] == each], axis=1), axis=1) for each in (0, level))
    return base, other


def mean(values: Floats, axis: int) -> Floats:
    """Mean over an axis of what is not NaN; NaN, without a warning, where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.asarray(np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0))


def cost(madds: Floats) -> Floats:
    """MAdds of each pair: the geometric mean over its treatments.

    madds    float[pairs, treatments]; NaN where a treatment was not built
    """
    return np.asarray(np.exp(mean(np.log(madds), axis=1)))


def _matched(top1: Floats, treatments: Ints, factor: int, level: int) -> Floats:
    """Differences of treatments that are alike in all other factors, float[pairs, couples, seeds]."""
    place = {tuple(row): i for i, row in enumerate(treatments.tolist())}
    couples = [(place[base], i) for row, i in place.items()
               if row[factor] == level and (base := (*row[:factor], 0, *row[factor + 1 :])) in place]  # fmt: skip
    ends = np.array(couples, dtype=np.int64).reshape(-1, 2)
    return np.asarray(top1[:, ends[:, 1]] - top1[:, ends[:, 0]])


def _sides(top1: Floats, treatments: Ints, factor: int, level: int) -> Floats:
    base, other = (mean(top1[:, treatments[:, factor] == each], axis=1) for each in (0, level))
    return np.asarray(other - base)


def _whole(top1: Floats) -> Floats:
    """Only the seeds that every measured treatment of a pair has; all of them in a pair without such a seed."""
    known = ~np.isnan(top1)
    trained = known.any(axis=2, keepdims=True)
    whole = np.asarray((known | ~trained).all(axis=1, keepdims=True))  # bool[pairs, 1, seeds]
    return np.where(whole | ~whole.any(axis=2, keepdims=True), top1, np.nan)


def _check(top1: Floats, treatments: Ints, factor: int, level: int) -> None:
    if top1.ndim != 3 or treatments.ndim != 2 or top1.shape[1] != len(treatments):
        raise ArchSearchError(
            f"accuracies must be [pairs, treatments, seeds] and treatments [treatments, factors], "
            f"got shapes {top1.shape} and {treatments.shape}"
        )
    if len(np.unique(treatments, axis=0)) != len(treatments):
        raise ArchSearchError("two treatments are the same")
    if not 0 <= factor < treatments.shape[1]:
        raise ArchSearchError(f"there is no factor {factor}: there are {treatments.shape[1]}, counted from 0")
    if level == 0 or level not in treatments[:, factor]:
        raise ArchSearchError(f"factor {factor} has no treatment of level {level} to compare with level 0")
