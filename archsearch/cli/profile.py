"""The command `space profile`: what a budget leaves of a space."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.cli.algebra import FixOption, one_space
from archsearch.cli.options import (
    JsonOption,
    LatencyBudget,
    LatencyTableOption,
    MaddsBudget,
    MemoryBudget,
    ParamsBudget,
    SeedOption,
    budget_texts,
)

if TYPE_CHECKING:
    from archsearch.cost.profile import Choice, Profile

WIDE = 20  # characters of a full bar


def profile(
    space: Annotated[str, typer.Argument(help="A shipped space by name, or a .toml file.", metavar="SPACE")],
    budget_madds: MaddsBudget = None,
    budget_params: ParamsBudget = None,
    budget_memory: MemoryBudget = None,
    budget_latency: LatencyBudget = None,
    latency_table: LatencyTableOption = None,
    fix: FixOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """What a budget leaves of a space: how many networks fit, what they cost, which choices they have.

    Counted exactly, by codes, wherever that takes a few seconds; else an estimate with its 95 % interval, and marked.

    Example: archsearch space profile mobilenet_v2 --budget-madds 300M
    """
    import numpy as np

    from archsearch.cli.show import console, print_json
    from archsearch.cli.timing import with_table
    from archsearch.cost.budget import lower_by_expectation
    from archsearch.cost.feasible import read_budget
    from archsearch.cost.profile import profile as measure

    read = one_space(space, fix)
    texts = budget_texts(budget_madds, budget_params, budget_memory, latency=budget_latency)
    timed = with_table(texts, latency_table, one_space(space))
    budget = lower_by_expectation(read_budget(texts, read))
    with working("networks that fit") as tell:
        found = measure(read, budget, np.random.default_rng(seed), tell=tell, others=timed)
    if as_json:
        print_json({"space": read.name, "budget": budget.to_dict(), **document(found)})
        return
    print_profile(console(), read.name, found)


@contextmanager
def working(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on stderr while something is counted; nothing where stderr is no terminal."""
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console

    with bar(console(error=True), title) as tell:
        yield tell


def document(found: "Profile") -> dict[str, Any]:
    """A profile as plain data."""
    return {
        "size": found.size, "fits": found.fits, "exact": found.interval is None,
        "interval": found.interval and list(found.interval), "looked_at": found.looked, "share_error": found.error,
        "metrics": {
            name: {"min": each.low, "median": each.median, "max": each.high, "exact": list(each.exact)}
            for name, each in found.metrics.items()
        },
        "axes": {
            name: [
                {"value": each.value, "share": each.share, "of_space": 1 / len(choices), "count": each.count,
                 "ruled_out": each.ruled_out}
                for each in choices
            ]
            for name, choices in found.axes.items()
        },
    }  # fmt: skip


def print_profile(out: Any, name: str, found: "Profile") -> None:
    """Counts, the range of each cost, and each choice's share."""
    from archsearch.cli.show import HEADINGS, table
    from archsearch.cost.budget import show

    out.print(f"{name}: {found.size:,} codes; {_fits(found)}", markup=False, soft_wrap=True)
    rows = [
        [HEADINGS[metric], *(
            ("" if which in each.exact else "~") + show(value, metric)
            for which, value in (("min", each.low), ("median", each.median), ("max", each.high))
        )]
        for metric, each in found.metrics.items()
    ]  # fmt: skip
    out.print(table(["cost of those", "least", "median", "most"], rows))
    if any(len(each.exact) < 3 for each in found.metrics.values()):
        out.print(_marked(found), style="dim", soft_wrap=True)
    out.print(_ruled_out(found), markup=False, soft_wrap=True)
    rows = [row for axis, choices in found.axes.items() for row in _rows(axis, choices)]
    share = f"of those (± {100 * found.error:.2g})" if found.error else "of those"
    out.print(table(["choice", "", share, "", "of all", ""], rows, left=(0, 1, 3, 5)))


def _fits(found: "Profile") -> str:
    share = 100 * found.fits / found.size
    if found.interval is None:
        return f"{found.fits:,} fit ({share:.3g} %), counted exactly"
    low, high = found.interval
    if found.error is None:
        told = f"none of the networks drawn does, {found.looked:,} were found"
        return f"from {low:,} to {high:,} fit (95 % interval): {told}"
    return f"about {found.fits:,} fit ({share:.3g} %); 95 % interval {low:,} to {high:,}"


def _marked(found: "Profile") -> str:
    """What ~ means; and what the shares of choices are of, where they are not exact."""
    looked = f"{found.looked:,} networks"
    if found.error == 0:
        return f"~ the best found, or of {looked} drawn; all else is exact"
    if found.error is None:
        return f"~ of {looked} that were found, not drawn: least, most and shares may be others"
    return (
        f"~ the best found, or of {looked} drawn; shares are of those, too, "
        f"so they are off by up to {100 * found.error:.2g} points (95 %)"
    )


def _ruled_out(found: "Profile") -> str:
    gone = {axis: [str(each.value) for each in choices if each.ruled_out] for axis, choices in found.axes.items()}
    told = [f"{axis} {', '.join(values)}" for axis, values in gone.items() if values]
    return f"ruled out by the budget: {'; '.join(told) or 'no choice'}"


def _rows(axis: str, choices: "tuple[Choice, ...]") -> list[list[str]]:
    """One row a choice: its share of what fits as a number and a bar, its share of the space."""
    rows = []
    for place, each in enumerate(choices):
        told = "ruled out" if each.ruled_out else "not seen" if not each.share else ""
        bar = "█" * max(round(WIDE * each.share), 1 if each.share else 0)
        name = "" if place else axis
        rows.append([name, str(each.value), f"{100 * each.share:.3g} %", bar, f"{100 / len(choices):.3g} %", told])
    return rows
