"""Made-up truths to try a search on: two families on any space or axes, each member fixed by a seed; changed tables.

"additive": the dearer choice is the better one, with diminishing returns, and neighbouring axes interact.
"deceptive": on two fifths of the axes the dearer choice is the worse one, and a few rare combinations are rewarded.
No network was trained for them: they test searches, they say nothing of networks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget
from archsearch.errors import DataError, choices
from archsearch.evaluate.table import Table
from archsearch.evaluate.table_merge import merged
from archsearch.spec.fields import Axis, Codes
from archsearch.spec.space import SearchSpace
from archsearch.surrogate.domain import IDLE, Domain, Floats
from archsearch.surrogate.space_domain import SpaceDomain

FAMILIES = ("additive", "deceptive")
NOISE = 0.0018  # standard deviation of one training's accuracy, as on NAS-Bench-Macro's kind of networks
LOWEST, HIGHEST = 0.10, 0.95  # accuracies lie between
MIDDLE, STEEP = 1.8, 0.6  # logit of a mean network between these, about 83 %; and of one standard deviation
SAMPLE = 2048  # codes from which the costs of choices and the scale are taken
REVERSED = 0.4  # share of a deceptive family's axes whose dearer choice is the worse one
MOST = 300_000  # codes of a space that is written out as a table
SPREAD = 50.0  # dearest over cheapest network, where the costs are made up too

Where = SearchSpace | Domain | Sequence[Axis]


@dataclass(frozen=True, kw_only=True, eq=False)
class Landscape:
    """The true accuracy of any code: a sum over axes, neighbouring axes and rare combinations, squashed."""

    axes: tuple[Axis, ...]
    single: tuple[Floats, ...]  # worth of each choice of an axis, then of the idle axis: float64[choices + 1]
    pairs: tuple[Floats, ...]  # of an axis and the next one, the idle ones last
    rare: tuple[tuple[NDArray[np.int64], Codes, float], ...]  # axes, their choices, the reward
    slots: Callable[[Codes], NDArray[np.int64]]  # codes with IDLE where an axis makes no difference
    centre: float = 0.0
    scale: float = 1.0

    def __call__(self, codes: Codes) -> Floats:
        """Fractions of right answers, without noise: float64[n]; codes int[n, axes]."""
        logit = MIDDLE + STEEP * (self.score(codes) - self.centre) / self.scale
        return np.asarray(LOWEST + (HIGHEST - LOWEST) / (1 + np.exp(-logit)))

    def score(self, codes: Codes) -> Floats:
        """The sum, on no scale in particular."""
        slots = self.slots(np.asarray(codes, dtype=np.int64))
        total = np.zeros(len(slots))
        for axis, worth in enumerate(self.single):
            total += worth[slots[:, axis]]  # IDLE is -1: the last entry
        for axis, worth in enumerate(self.pairs):
            total += worth[slots[:, axis], slots[:, axis + 1]]
        for places, wanted, reward in self.rare:
            total += reward * (slots[:, places] == wanted).all(axis=1)
        return total


def landscape(name: str, where: Where, seed: int = 0) -> Landscape:
    """A member of a family on a space, a domain, or plain axes: `landscape(...)(codes) -> top1`.

    On a space an axis that makes no difference adds nothing, and what is dear is counted; on plain axes the choices
    are taken to be in ascending order of cost.
    raises   DataError for an unknown family
    """
    if name not in FAMILIES:
        raise DataError(f"landscape {name!r} is not known: {choices(name, FAMILIES)}")
    rng = np.random.default_rng(np.random.SeedSequence([FAMILIES.index(name), seed]))
    axes, domain = _resolved(where)
    radix = np.array([len(axis.values) for axis in axes], dtype=np.int64)
    codes = rng.integers(0, radix, size=(SAMPLE, len(axes)), dtype=np.int64)
    ranks = [(np.arange(count), 1.0) for count in radix] if domain is None else _ranks(domain, codes)
    made = Landscape(
        axes=axes, single=_worths(ranks, rng, deceptive=name == "deceptive"), pairs=_interactions(radix, rng),
        rare=_rarities(radix, rng) if name == "deceptive" else (),
        slots=(lambda given: given) if domain is None else (lambda given: domain.look(given).slots),
    )  # fmt: skip
    scores = made.score(codes)
    return replace(made, centre=float(scores.mean()), scale=float(scores.std()) or 1.0)


def _resolved(where: Where) -> tuple[tuple[Axis, ...], Domain | None]:
    """The axes, and what knows the costs; None for plain axes."""
    if isinstance(where, SearchSpace):
        return where.axes, SpaceDomain(space=where, budget=Budget())
    return (tuple(where), None) if isinstance(where, Sequence) else (where.axes, where)


def tabulated(name: str, where: SearchSpace | Sequence[Axis], seed: int = 0, *, seeds: int = 3,
              noise: float = NOISE) -> Table:  # fmt: skip
    """A landscape written out: every network of a small space, `seeds` trainings each.

    Costs are counted on a space; on plain axes they are made up, the higher choice always the dearer.
    raises   DataError for a space of more than MOST codes
    """
    axes = where.axes if isinstance(where, SearchSpace) else tuple(where)
    codes = every_code(axes)
    space = where if isinstance(where, SearchSpace) else None
    blank = Table(name=f"{name}-{seed}", axes=axes, codes=codes, top1=np.zeros((len(codes), 1)), costs={}, space=space)
    table = merged(blank)
    costs = made_costs(axes, table.codes, seed) if space is None else {
        metric: table.cost(metric) for metric in ("madds", "params")}  # fmt: skip
    truth = landscape(name, where, seed)(table.codes)
    rng = np.random.default_rng(np.random.SeedSequence([FAMILIES.index(name), seed, 1]))
    top1 = np.clip(truth[:, None] + noise * rng.standard_normal((len(table), seeds)), 0, 1)
    return replace(table, costs=costs, top1=top1)


def every_code(axes: Sequence[Axis]) -> Codes:
    """All codes of axes in ascending order; raises DataError where there are more than MOST."""
    radix = [len(axis.values) for axis in axes]
    size = float(np.prod(np.array(radix, dtype=float)))
    if size > MOST:
        raise DataError(f"{size:,.0f} codes are too many for a table; a table has at most {MOST:,}")
    return np.stack([each.ravel() for each in np.indices(radix)], axis=1).astype(np.int64)


def made_costs(axes: Sequence[Axis], codes: Codes, seed: int) -> dict[str, Floats]:
    """Made-up MAdds and parameters: products over the axes, each in its own proportions; whole numbers."""
    rng = np.random.default_rng(np.random.SeedSequence([len(FAMILIES), seed]))
    top = np.array([max(1, len(axis.values) - 1) for axis in axes])
    costs = {}
    for metric, least in (("madds", 4e6), ("params", 2e5)):
        share = rng.dirichlet(np.full(len(axes), 3.0)) if len(axes) else np.zeros(0)
        costs[metric] = np.round(least * np.exp(np.log(SPREAD) * (codes / top) @ share))
    return costs


# changed tables -----------------------------------------------------------------------------------------------------


def shuffled(table: Table, rng: np.random.Generator) -> Table:
    """The same networks under choices that are permuted on each axis and renamed, so that their order says nothing.

    Which codes are one network is kept; the space is not, for its values are gone.
    """
    moves = [rng.permutation(len(axis.values)) for axis in table.axes]
    codes = np.stack([move[table.spellings[:, at]] for at, move in enumerate(moves)], axis=1)
    axes = tuple(Axis(axis.name, tuple(f"choice {k}" for k in range(len(axis.values)))) for axis in table.axes)
    costs = {name: table.cost(name) for name in table.costs}
    made = replace(table, name=f"{table.name}-shuffled", space=None, costs=costs)
    return _respelled(made, axes, codes, table.rows_of)


def coarsened(table: Table, most: int = 2) -> Table:
    """The networks left when each axis keeps at most `most` choices: its first, its last and some between.

    raises   DataError where no network is left
    """
    kept = [np.unique(np.linspace(0, len(axis.values) - 1, most).round().astype(int)) for axis in table.axes]
    inside = np.stack([np.isin(table.spellings[:, at], keep) for at, keep in enumerate(kept)], axis=1).all(axis=1)
    codes = np.stack([np.searchsorted(keep, table.spellings[inside, at]) for at, keep in enumerate(kept)], axis=1)
    if not len(codes):
        raise DataError(f"table {table.name}: no network is left with {most} choices on each axis")
    axes = tuple(
        Axis(axis.name, tuple(axis.values[k] for k in keep)) for axis, keep in zip(table.axes, kept, strict=True)
    )
    space = table.space
    for axis in axes if space is not None else ():
        space = space.restrict(axis.name, axis.values)  # type: ignore[union-attr]
    made = replace(table, name=f"{table.name}-coarse", space=space)
    return _respelled(made, axes, codes, table.rows_of[inside])


def _respelled(table: Table, axes: tuple[Axis, ...], codes: Codes, rows: NDArray[np.int64]) -> Table:
    """The table with other codes for its networks, in ascending order; rows int64[codes] says whose each is."""
    order = np.lexsort(codes.T[::-1])
    codes, rows = codes[order], rows[order]
    old, first, number = np.unique(rows, return_index=True, return_inverse=True)
    rank = np.argsort(first)
    back = np.argsort(rank)
    take = old[rank]
    return replace(
        table, axes=axes, codes=codes[np.sort(first)], top1=table.top1[take], spellings=codes, rows_of=back[number],
        costs={name: cost[take] for name, cost in table.costs.items()},
        seconds=None if table.seconds is None else table.seconds[take],
        curves=None if table.curves is None else table.curves[take],
    )  # fmt: skip


# parts of a landscape -----------------------------------------------------------------------------------------------


def _ranks(domain: Domain, codes: Codes) -> list[tuple[NDArray[np.int64], float]]:
    """Of each axis the place of each choice in ascending order of the mean log cost of networks that take it, and what
    lies between the dearest and the cheapest choice, on average 1."""
    looked = domain.look(codes)
    cost = looked.traits[:, 0] if looked.traits.shape[1] else looked.costs[:, 0]
    ranks, spans = [], []
    for at, axis in enumerate(domain.axes):
        used = (looked.slots[:, at] != IDLE) & ~np.isnan(cost)
        sums = np.bincount(codes[used, at], weights=cost[used], minlength=len(axis.values))
        mean = sums / np.maximum(np.bincount(codes[used, at], minlength=len(axis.values)), 1)
        ranks.append(np.argsort(np.argsort(mean, kind="stable"), kind="stable"))
        spans.append(float(np.ptp(mean)))
    usual = float(np.mean(spans or 1.0)) or 1.0  # a space of one network has no axis
    return [(rank, span / usual) for rank, span in zip(ranks, spans, strict=True)]


def _worths(
    ranks: list[tuple[NDArray[np.int64], float]], rng: np.random.Generator, *, deceptive: bool
) -> tuple[Floats, ...]:
    """The worth of each choice, rising with its rank at a diminishing rate; falling on some axes where it deceives.

    An axis that moves cost more is, by and large, worth more.
    """
    turned = rng.permutation(len(ranks)) < round(REVERSED * len(ranks)) * deceptive
    worths = []
    for (rank, span), turn in zip(ranks, turned, strict=True):
        weight, bend = (0.5 + 0.5 * span) * np.exp(0.6 * rng.standard_normal()), rng.uniform(1, 4)
        rise = weight * (1 - np.exp(-bend * rank / max(1, len(rank) - 1))) / (1 - np.exp(-bend))
        worths.append(np.append(-rise if turn else rise, 0.0))
    return tuple(worths)


def _interactions(radix: NDArray[np.int64], rng: np.random.Generator) -> tuple[Floats, ...]:
    """What two neighbouring axes add beyond their own worths; nothing where one is idle."""
    made = []
    for a, b in zip(radix[:-1], radix[1:], strict=True):
        worth = 0.35 * rng.standard_normal((a, b))
        worth -= worth.mean(axis=0, keepdims=True)
        worth -= worth.mean(axis=1, keepdims=True)
        made.append(np.pad(worth, (0, 1)))
    return tuple(made)


def _rarities(radix: NDArray[np.int64], rng: np.random.Generator) -> tuple[tuple[NDArray[np.int64], Codes, float], ...]:
    """Combinations of three axes that are rewarded, half as many as there are axes."""
    found = []
    for _ in range(len(radix) // 2):
        places = np.sort(rng.choice(len(radix), size=min(3, len(radix)), replace=False))
        found.append((places, rng.integers(0, radix[places]), float(rng.uniform(0.5, 1.5))))
    return tuple(found)
