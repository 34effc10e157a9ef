"""Commands about design spaces: what there is, what one holds, networks drawn from one."""

from typing import Annotated, Any

import typer

from archsearch.cli import algebra, explore
from archsearch.cli.algebra import FixOption, SpaceArgument, opened
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
from archsearch.cli.profile import profile, working

HELP = "Design spaces: list, show, sample, profile, contains, neighbours, compare, refine."
app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)
app.command()(explore.compare)
app.command()(explore.refine)
app.command()(algebra.contains)
app.command()(algebra.neighbours)


@app.command("list")
def list_spaces(
    zoo: Annotated[bool, typer.Option("--zoo", help="Published networks instead, beside what was printed.")] = False,
    check: Annotated[bool, typer.Option("--check", help="With --zoo: exit code 1 where a figure disagrees.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="With --zoo: the tables of docs/zoo.md.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The shipped spaces, or the zoo of published networks.

    Example: archsearch space list --zoo --check
    """
    from archsearch.cli.show import console, print_json, table
    from archsearch.cli.zoo import list_zoo
    from archsearch.errors import SpecError
    from archsearch.spec.space_file import read_space, shipped

    if zoo:
        list_zoo(check=check, as_json=as_json, markdown=markdown)
        return
    if check or markdown:
        raise SpecError("--check and --markdown are for the zoo of published networks; add --zoo")
    if markdown and as_json:
        raise SpecError("--markdown and --json are two forms of the same; give one")
    spaces = [read_space(name) for name in shipped()]
    if as_json:
        print_json([{"name": s.name, "size": s.size, "axes": len(s.axes), "about": s.about} for s in spaces])
        return
    rows = [[s.name, f"{s.size:,}", str(len(s.axes)), s.about] for s in spaces]
    console().print(table(["space", "codes", "axes", "about"], rows, left=(0, 3)))


@app.command()
def show(space: SpaceArgument, fix: FixOption = None, as_json: JsonOption = False) -> None:
    """The axes of a space and the range of each cost.

    Example: archsearch space show mobilenet_v2_small
    """
    from archsearch.cli.show import HEADINGS, console, print_json, table
    from archsearch.cost.budget import show as short
    from archsearch.cost.count import BUILT_IN
    from archsearch.cost.extremes import extremes
    from archsearch.spec.union import Union

    read = opened(space, fix)
    if isinstance(read, Union):
        algebra.show_union(read, as_json=as_json)
        return
    ends = {name: extremes(read, name) for name in BUILT_IN}
    if as_json:
        print_json({
            "name": read.name, "about": read.about, "size": read.size, "classes": read.head.classes,
            "axes": {axis.name: list(axis.values) for axis in read.axes},
            "costs": {name: {"min": e.low, "max": e.high, "exact": e.exact} for name, e in ends.items()},
        })  # fmt: skip
        return
    out = console()
    out.print(f"{read.name}: {read.about}", markup=False, soft_wrap=True)
    out.print(f"{read.size:,} codes, {len(read.axes)} axes, {read.head.classes} classes")
    out.print(table(["axis", "choices"], [[a.name, ", ".join(map(str, a.values))] for a in read.axes], left=(0, 1)))
    rows = [
        [HEADINGS[name], short(e.low, name), short(e.high, name), "exact" if e.exact else "searched"]
        for name, e in ends.items()
    ]
    out.print(table(["cost", "least", "most", ""], rows, left=(0, 3)))


@app.command()
def sample(
    space: SpaceArgument,
    n: Annotated[int, typer.Option("-n", "--number", help="How many networks.", min=1, max=1_000_000)] = 5,
    budget_madds: MaddsBudget = None,
    budget_params: ParamsBudget = None,
    budget_memory: MemoryBudget = None,
    budget_latency: LatencyBudget = None,
    latency_table: LatencyTableOption = None,
    fix: FixOption = None,
    band: Annotated[
        str | None, typer.Option("--band", help="Share of the first budget's upper end to stay in, like 0.9..1.0.")
    ] = None,
    spread: Annotated[
        str, typer.Option("--spread", help="uniform over the codes that fit, or log-madds: even over log MAdds.")
    ] = "uniform",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Random networks of a space that fit the budgets, with their costs.

    Every code that fits is equally likely, and none is drawn twice. Two codes may spell one network: it is likelier by
    as much, and may be printed twice, with the same key; of several spaces joined by + each network is printed once.
    Where fewer codes fit than are asked for, all of them are printed.

    Example: archsearch space sample mobilenet_v2 -n 3 --budget-madds 300M --band 0.9..1.0
    """
    from archsearch.cli.show import HEADINGS, console, print_json, table
    from archsearch.cli.timing import with_table
    from archsearch.cost.budget import show as short
    from archsearch.cost.count import count, record

    read = opened(space, fix)
    budgets = budget_texts(budget_madds, budget_params, budget_memory, latency=budget_latency)
    timed = with_table(budgets, latency_table, opened(space))
    with working("networks that fit") as tell:
        drawn = _drawn(read, budgets, n, seed, band=band, spread=spread, tell=tell)
        records = []
        for nth, arch in enumerate(drawn):
            tell(nth, len(drawn), "networks counted")
            records.append(record(arch) | count(arch, timed))
    if len(records) < n:
        told = f"number of networks: {len(records):,}, not {n:,}; no more fit, or no more were found"
        console(error=True).print(told, style="dim")
    if as_json:
        print_json(records)
        return
    shown = ("madds", "params", "peak_memory", *timed)
    rows = [[str(r["key"]), *(short(int(str(r[name])), name) for name in shown), str(r["arch"])] for r in records]
    names = ["key", *(HEADINGS[name] for name in shown), "network"]
    console().print(table(names, rows, left=(0, len(names) - 1)))


def _drawn(
    space: Any, budgets: dict[str, str], n: int, seed: int, *, band: str | None, spread: str, tell: Any
) -> list[Any]:  # fmt: skip
    """n networks that fit; fewer where fewer do."""
    import numpy as np

    from archsearch.cost.budget import lower_by_expectation
    from archsearch.cost.feasible import read_budget
    from archsearch.cost.sampling import draw, narrowed
    from archsearch.cost.unions import draw_union, union_budget
    from archsearch.errors import SpaceError
    from archsearch.spec.union import Union

    if isinstance(space, Union):
        if band is not None or spread != "uniform":
            raise SpaceError(f"--band and --spread are for one space, and {space.name} is several")
        found = draw_union(space, union_budget(budgets, space), n, np.random.default_rng(seed), tell)
        return [space.decode(member, code) for member, code in found]
    budget = lower_by_expectation(read_budget(budgets, space))
    if band is not None:
        budget = narrowed(budget, budgets, band)
    return [
        space.decode(code) for code in draw(space, budget, n, np.random.default_rng(seed), spread=spread, tell=tell)
    ]


app.command()(profile)
