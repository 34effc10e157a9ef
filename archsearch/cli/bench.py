"""Commands that measure the project itself, each side by side with a peer in one run."""

from functools import partial
from typing import Annotated, Any

import typer

from archsearch.cli.bench_latency import outside_latency, remote_latency
from archsearch.cli.bench_repeat import predict_latency, repeat_latency
from archsearch.cli.bench_rungs import rungs
from archsearch.cli.bench_runs import runs
from archsearch.cli.bench_search import search
from archsearch.cli.bench_training import training
from archsearch.cli.options import JsonOption, SeedOption

app = typer.Typer(
    help="The project's own benchmarks, each beside a peer in one run.", no_args_is_help=True, rich_markup_mode=None
)
app.command()(search)
app.command()(runs)
app.command()(rungs)
app.command()(training)
app.command()(outside_latency)
app.command()(repeat_latency)
app.command()(predict_latency)
app.command()(remote_latency)


@app.command()
def counters(
    space: Annotated[str, typer.Option("--space", help="Design space to draw networks from.")] = "mobilenet_v2",
    number: Annotated[
        int, typer.Option("-n", "--number", help="Networks to count.", min=1, max=200_000_000)
    ] = 10_000_000,
    peers: Annotated[int, typer.Option("--peers", help="Random networks that other counters count too.", min=1)] = 5,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Networks counted a second on one core, all ways on the same networks, beside other counters and memory's rate.

    Example: archsearch bench counters --space mobilenet_v2 -n 1000000
    """
    from archsearch.bench.counters import measure
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console, print_json

    with bar(console(error=True), "bench counters") as progress:
        result = measure(space, number, peers=peers, seed=seed, told=progress)
    if as_json:
        print_json(result)
    else:
        _print(result)


@app.command()
def storage(
    space: Annotated[str, typer.Option("--space", help="Design space to search.")] = "mobilenet_v2",
    sampler: Annotated[str, typer.Option("--sampler", help="Sampler of the run.")] = "random",
    trials: Annotated[int, typer.Option("--trials", help="Trials of the study.", min=1)] = 2_000,
    workers: Annotated[int, typer.Option("--workers", help="Processes that share the study.", min=1, max=64)] = 4,
    budget: Annotated[str, typer.Option("--budget-madds", help="Hard limit of MAdds.")] = "60%",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Processes search on one journal with made-up accuracies: time of a proposal, memory, trials lost or repeated.

    Example: archsearch bench storage --trials 10000 --workers 4
    """
    from archsearch.bench.storage import Load, measure
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console, print_json

    load = Load(space=space, sampler=sampler, trials=trials, workers=workers, budget=budget, seed=seed)
    with bar(console(error=True), "bench storage") as progress:
        result = measure(load, progress)
    if as_json:
        print_json(result)
    else:
        _print_storage(result)


def _print_storage(result: dict[str, Any]) -> None:
    """What was measured, and whether anything went wrong."""
    from archsearch.cli.show import console, table

    say = partial(console().print, markup=False, soft_wrap=True)
    say(f"{result['space']}, sampler {result['sampler']}: {result['trained']:,} networks in {result['seconds']:.0f} s")
    say(f"{result['workers']} workers on {result['cores']} cores; {', '.join(result['stopped'])}")
    rows = [[f"{int(mark):,}", f"{ms:.1f}"] for mark, ms in result["proposal_ms"].items()]
    console().print(table(["trials", "ms for a proposal"], rows))
    memory = result["memory"]
    say(f"memory of a worker: {memory['at_end_mb']} MB, {memory['mb_per_100_trials']} MB more for each 100 trials")
    say(f"journal: {result['journal_mb']} MB")
    say(f"lost {result['lost']}, repeated {result['repeated']}, over budget {result['over_budget']}, "
        f"errors {len(result['errors'])}")  # fmt: skip
    for error in result["errors"]:
        say(error)


def _print(result: dict[str, Any]) -> None:
    """The rates as a table, and what they hold for."""
    from archsearch.cli.show import console, table

    say = partial(console().print, markup=False, soft_wrap=True)
    published, memory, times = result["published"], result["memory_bytes"], result["tables_are_times_as_fast"]
    rows = [
        [name, _rate(rate), _times(times[name]),
         _rate(published["networks_per_second"][name]) if name in published["networks_per_second"] else ""]
        for name, rate in result["networks_per_second"].items()
    ]  # fmt: skip
    say(f"{result['space']}: {result['number']:,} networks, one thread, seed {result['seed']}; {result['cpu']}")
    console().print(table(["way of counting", "networks/s", "tables", "published"], rows))
    for name in result["networks_per_second"]:
        if remark := _remark(result, name):
            say(f"{name}: {remark}")
    say(f"tables: how many times as fast; published: {published['network']}, the same one each time, networks/s")
    say(
        f"equal: tables = formula on {result['checked']:,} networks; formula = one at a time; "
        f"other counters on {result['peers']['networks']} and on {published['network']}"
    )
    say(
        f"memory: codes {_mib(memory['codes'])}, totals {_mib(memory['totals'])}, "
        f"whole process while counting at most {_mib(memory['process_most'])}"
    )


def _remark(result: dict[str, Any], name: str) -> str:
    """What has to be known of a way of counting."""
    if result["networks_per_second"][name] is None:
        return "not installed: pip install 'archsearch[bench]'"
    if name in result["making_share"]:
        return f"making of the tables included: {100 * min(result['making_share'][name], 1):.0f} % of the time"
    return str(result["peers"]["convention"].get(name, ""))


def _rate(rate: float | None) -> str:
    if rate is None:
        return "-"
    return f"{rate:,.2f}" if rate < 100 else f"{rate:,.0f}"


def _times(ratio: float | None) -> str:
    if ratio is None:
        return "-"
    return f"{ratio:,.0f} x" if ratio >= 10 else f"{ratio:.2g} x"


def _mib(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
