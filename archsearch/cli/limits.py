"""From the options of a command to a problem: space, hard limits, objectives, all checked before anything is spent."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from archsearch.cost.budget import Budget
    from archsearch.cost.ladder import Ladder
    from archsearch.cost.latency import LatencyTable
    from archsearch.evaluate.table import Table
    from archsearch.search.propose import Problem
    from archsearch.spec.space import SearchSpace


def problem_of(
    space: "SearchSpace", texts: "Mapping[str, str]", asked: tuple[str, ...] | None, *, table: "Table | None" = None,
    latency: "LatencyTable | None" = None,
) -> "Problem":  # fmt: skip
    """The problem that a command states.

    texts    the limits as written
    asked    metrics to minimise; None: none were named
    latency  a latency table whose metrics are bound
    raises   BudgetError where nothing fits or a limit cannot be read, PluginError or DataError for unknown metrics
    """
    from archsearch.cli.asked import objectives
    from archsearch.cost.budget import lower_by_expectation
    from archsearch.cost.count import metric
    from archsearch.cost.ladder import read_limits
    from archsearch.search.propose import Problem

    own = {} if table is None else {name: float(column.max()) for name, column in table.costs.items()}
    for name in texts:
        if name not in own:
            metric(name)
    budget, ladder = read_limits(texts, space, own)
    budget = lower_by_expectation(budget)
    check_fits(space, budget, ladder, table)
    return Problem(space=space, budget=budget, minimize=objectives(asked, ladder, tuple(texts)), table=table,
                   ladder=ladder.rungs if ladder else (), latency=latency)  # fmt: skip


def check_fits(space: "SearchSpace", budget: "Budget", ladder: "Ladder | None", table: "Table | None") -> None:
    """Raise BudgetError, with the nearest network, where nothing fits the limits, or a ladder's lowest rung."""
    from archsearch.cost.feasible import check
    from archsearch.cost.ladder import lowest
    from archsearch.evaluate import table_domain

    for each in (budget, *([lowest(budget, ladder)] if ladder else [])):
        if table is None:
            check(space, each)
        else:
            table_domain.check_fits(table, each)


def loose(space: "SearchSpace", budget: "Budget", table: "Table | None" = None) -> list[str]:
    """Notes on limits that hold for every network of the space, or of the table."""
    from archsearch.cost.budget import show
    from archsearch.cost.extremes import extremes

    ends = {name: extremes(space, name).high if table is None else float(table.cost(name).max())
            for name in budget.limits}  # fmt: skip
    return [
        f"every network of the {'space' if table is None else 'table'} has {name} of at most {show(ends[name], name)}: "
        "that budget binds nothing"
        for name, limit in budget.limits.items()
        if ends[name] <= limit.high and limit.low == 0
    ]
