"""A table as a domain: what a sampler may choose from is what the table holds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import Budget, show
from archsearch.errors import BudgetError
from archsearch.evaluate.table import Table, counted
from archsearch.spec.algebra import settled
from archsearch.spec.fields import Axis, Codes
from archsearch.surrogate.design import place
from archsearch.surrogate.domain import IDLE, WHOLE, Floats, Networks
from archsearch.surrogate.space_domain import TRAITS

SLICES = 32  # of the logarithm of cost, each with its share of a draw


@dataclass(frozen=True, kw_only=True)
class TableDomain:
    """All networks of a table that fit a budget."""

    table: Table
    budget: Budget = field(default_factory=Budget)
    minimize: tuple[str, ...] = ("madds",)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The table's axes."""
        return self.table.axes

    @cached_property
    def traits(self) -> tuple[str, ...]:
        """Those of its space; without one MAdds and parameters, else every cost of the table that is above 0."""
        if self.table.space is not None:
            return TRAITS
        known = tuple(name for name, cost in sorted(self.table.costs.items()) if (cost > 0).all())
        return tuple(name for name in TRAITS if name in known) or known

    def everything(self) -> Networks | None:
        """All networks that fit, in the order of their codes; None where more than WHOLE fit."""
        return self._whole.take(self._fit) if self._fit.sum() <= WHOLE else None

    def draw(self, n: int, rng: np.random.Generator) -> Networks:
        """n different networks, or all that fit; each part of the range of log cost has its share, while it lasts."""
        rows = np.flatnonzero(self._fit)
        logs = self._scale[rows]
        span = np.ptp(logs) if len(rows) else 0.0
        part = np.minimum((logs - logs.min()) / span * SLICES, SLICES - 1).astype(int) if span > 0 else rows * 0
        weight = 1 / np.bincount(part, minlength=SLICES)[part]
        tickets = rng.exponential(size=len(rows)) / weight  # the n smallest are a draw without replacement
        return self._whole.take(np.sort(rows[np.argsort(tickets, kind="stable")[:n]]))

    def around(self, codes: Codes) -> Networks:
        """All networks one axis away that fit."""
        rows = self.table.rows(one_axis_away(self.axes, np.asarray(codes, dtype=np.int64)))
        rows = rows[rows >= 0]
        rows = rows[self._fit[rows] & ~np.isin(rows, self.table.rows(codes))]
        return self._whole.take(rows[np.sort(np.unique(rows, return_index=True)[1])])

    def look(self, codes: Codes) -> Networks:
        """Costs, idle axes and names of codes; costs of a code that the table has not are counted, or NaN."""
        codes = np.asarray(codes, dtype=np.int64)
        rows = self.table.rows(codes)
        if (rows >= 0).all():
            found = self._whole.take(rows)
            return Networks(codes=codes, slots=found.slots, costs=found.costs, traits=found.traits, names=found.names)
        lost = np.flatnonzero(rows < 0)
        made = self._whole.take(np.maximum(rows, 0))
        parts = {name: getattr(made, name).copy() for name in ("slots", "costs", "traits", "names")}
        for name, values in self._unknown(codes[lost]).items():
            parts[name][lost] = values
        return Networks(codes=codes, **parts)

    def fits(self, codes: Codes) -> NDArray[np.bool_]:
        """Which codes the table has and the budget allows, bool[n]."""
        rows = self.table.rows(codes)
        return np.asarray((rows >= 0) & self._fit[rows])

    def lookup(self, codes: Codes, seed: int | None = None) -> Floats:
        """Accuracies of codes, float64[n]: of one seed (modulo how many there are), or the mean; NaN where unknown."""
        rows = self.table.rows(codes)
        if seed is None:
            return np.where(rows >= 0, self.table.mean[rows], np.nan)
        columns = [self.table.column(row, seed) for row in rows.tolist()]
        return np.where(rows >= 0, self.table.top1[rows, columns], np.nan)

    @cached_property
    def _whole(self) -> Networks:
        """The networks of the table, whether they fit or not."""
        table = self.table
        return Networks(codes=table.codes, slots=np.where(self._kept(table.codes), table.codes, IDLE),
                        costs=_columns(self.minimize, table.cost, len(table)),
                        traits=_columns(self.traits, lambda name: self._log(table.cost(name)), len(table)),
                        names=table.names)  # fmt: skip

    @cached_property
    def _fit(self) -> NDArray[np.bool_]:
        costs = {name: self.table.cost(name) for name in self.budget.limits}
        return np.asarray(np.broadcast_to(self.budget.fits(costs), (len(self.table),)))

    @cached_property
    def _scale(self) -> Floats:
        """What a draw is spread over: the logarithm of the first cost, else the first trait, else nothing."""
        return place(self._whole)

    def _unknown(self, codes: Codes) -> dict[str, NDArray]:  # type: ignore[type-arg]
        """What is known of codes that the table has not."""

        def cost(name: str) -> Floats:
            known = name in self.table.countable
            return counted(self.table.space, codes, name) if known else np.full(len(codes), np.nan)

        traits = _columns(self.traits, lambda name: self._log(cost(name)), len(codes))
        return {"slots": np.where(self._kept(codes), codes, IDLE), "costs": _columns(self.minimize, cost, len(codes)),
                "traits": traits, "names": self.table.names_of(codes)}  # fmt: skip

    def _log(self, costs: Floats) -> Floats:
        """What is counted may be 0; a table's own costs may be fractions."""
        return np.asarray(np.log(np.maximum(costs, 1) if self.table.space is not None else costs))

    def _kept(self, codes: Codes) -> NDArray[np.bool_]:
        """Where an axis makes a difference, bool[n, axes]."""
        if self.table.space is not None:
            return settled(self.table.space, codes)[1]
        if len(self.table.spellings) == len(self.table):
            return np.ones(codes.shape, dtype=bool)
        return _kept_by_rows(self.table, codes)


def check_fits(table: Table, budget: Budget) -> None:
    """Raise BudgetError, with the nearest network, where none of the table meets the budget."""
    costs = {name: table.cost(name) for name in budget.limits}
    if not costs or np.any(budget.fits(costs)):
        return
    nearest = int(np.argmin(np.max([np.maximum(0.0, each) for each in budget.excess(costs).values()], axis=0)))
    told = ", ".join(f"{name} {show(float(column[nearest]), name)}" for name, column in costs.items())
    raise BudgetError(f"no network of table {table.name} meets the whole budget; the nearest has {told}")


def one_axis_away(axes: tuple[Axis, ...], codes: Codes) -> Codes:
    """All codes that differ from one of n codes in one axis: int64[m, axes], code by code, axis by axis."""
    steps = [(axis, step) for axis, each in enumerate(axes) for step in range(1, len(each.values))]
    near = np.repeat(codes, len(steps), axis=0)
    axis, step = (np.tile(np.array(column, dtype=np.int64), len(codes)) for column in zip(*steps, strict=True)) if (
        steps) else (np.zeros(0, dtype=np.int64),) * 2  # fmt: skip
    radix = np.array([len(each.values) for each in axes], dtype=np.int64)
    here = np.arange(len(near))
    near[here, axis] = (near[here, axis] + step) % radix[axis]
    return near


def _kept_by_rows(table: Table, codes: Codes) -> NDArray[np.bool_]:
    """The same told by the table alone: an axis is idle where each choice of it is known as the same network."""
    codes, kept = codes.copy(), np.zeros(codes.shape, dtype=bool)
    for axis, each in enumerate(table.axes):
        rows = table.rows(codes)
        kept[:, axis] = rows < 0
        for choice in range(len(each.values)):
            other = codes.copy()
            other[:, axis] = choice
            kept[:, axis] |= table.rows(other) != rows
        codes[~kept[:, axis], axis] = 0
    return kept


def _columns(names: tuple[str, ...], column: Callable[[str], Floats], n: int) -> Floats:
    """Some columns side by side, float64[n, names]."""
    return np.stack([column(name) for name in names], axis=1) if names else np.zeros((n, 0))
