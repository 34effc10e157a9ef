"""Commands that measure the project itself, each side by side with a peer in one run."""

from functools import partial
from typing import Annotated, Any

import typer

from archsearch.cli.bench_search import search
from archsearch.cli.options import JsonOption, SeedOption

app = typer.Typer(
    help="The project's own benchmarks, each beside a peer in one run.", no_args_is_help=True, rich_markup_mode=None
)
app.command()(search)


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
