"""Courses from tables and from made-up landscapes, as a command names them."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.bench.course import Course
from archsearch.cost.budget import Budget, parse_limit
from archsearch.cost.feasible import read_budget
from archsearch.cost.table import cost_table
from archsearch.errors import BudgetError
from archsearch.evaluate.landscapes import FAMILIES, NOISE, coarsened, landscape, shuffled, tabulated
from archsearch.evaluate.table import Table
from archsearch.evaluate.table_domain import TableDomain
from archsearch.evaluate.table_file import read_table
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_file import read_space
from archsearch.surrogate.domain import Floats
from archsearch.surrogate.space_domain import SpaceDomain

TABULATED = 100_000  # codes up to which a landscape is written out as a table
STRICT = {"nas_bench_macro": 0.88}  # of a space's trained networks: an accuracy below which nobody wants one


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A course as the command line names it; the same one in each process."""

    table: str  # a file, or the name of a landscape
    space: str | None = None
    mapping: str | None = None
    minimize: tuple[str, ...] = ("madds",)
    budgets: tuple[tuple[str, str], ...] = ()  # metric, limit as written
    shuffle: bool = False
    coarsen: int | None = None  # most choices of an axis that are kept
    seed: int = 0

    def course(self) -> Course:
        """The course.

        raises   DataError, SpaceError, BudgetError
        """
        space = read_space(self.space) if self.space is not None else None
        if self.table in FAMILIES and space is not None and space.size > TABULATED:
            return from_space(space, self)
        table = self._table(space)
        trained_in = table.space.name if table.space is not None and self.table not in FAMILIES else ""
        table = table if self.coarsen is None else coarsened(table, self.coarsen)
        table = shuffled(table, np.random.default_rng([self.seed, 1])) if self.shuffle else table
        return replace(from_table(table, self), strict=STRICT.get(trained_in))

    def _table(self, space: SearchSpace | None) -> Table:
        if self.table not in FAMILIES:
            return read_table(Path(self.table), space=space, mapping=self.mapping)
        if space is None:
            raise BudgetError(f"the landscape {self.table!r} needs --space")
        return tabulated(self.table, space, self.seed)


def from_table(table: Table, asked: Asked) -> Course:
    """The networks of a table under the command's budget."""
    limits = {
        name: parse_limit(text, name, lambda name=name: int(table.cost(name).max()))  # type: ignore[misc]
        for name, text in asked.budgets
    }
    domain = TableDomain(table=table, budget=Budget(limits=limits), minimize=asked.minimize)
    fit = table.codes[domain.fits(table.codes)]
    if not len(fit):
        raise BudgetError(f"no network of table {table.name} fits the budget")

    def costs(codes: Codes, names: Any) -> dict[str, Floats]:
        rows = table.rows(codes)
        return {name: table.cost(name)[rows] for name in names}

    return Course(
        name=table.name, domain=domain, budget=domain.budget, costs=costs, exists=lambda codes: table.rows(codes) >= 0,
        truth=domain.lookup, shown=lambda codes, seed: domain.lookup(codes, seed=seed), error=table.noise,
        whole=domain.look(fit),
    )  # fmt: skip


def from_space(space: SearchSpace, asked: Asked) -> Course:
    """A made-up landscape over a space that is too large for a table."""
    budget = read_budget(dict(asked.budgets), space)
    domain = SpaceDomain(space=space, budget=budget, minimize=asked.minimize)
    truth = landscape(asked.table, space, asked.seed)

    def shown(codes: Codes, seed: int) -> Floats:
        return truth(codes) + NOISE * np.random.default_rng(seed).standard_normal(len(codes))

    return Course(
        name=f"{asked.table} on {space.name}", domain=domain, budget=budget, costs=partial(_counted, space),
        exists=lambda codes: np.ones(len(codes), dtype=bool), truth=truth, shown=shown, error=NOISE, whole=None,
    )  # fmt: skip


def _counted(space: SearchSpace, codes: Codes, names: Any) -> dict[str, Floats]:
    return cost_table(space, tuple(names)).count(codes) if names else {}  # type: ignore[return-value]
