"""Commands that measure the project itself, each side by side with a peer in one run."""

from typing import Annotated

import typer

from archsearch.cli.options import JsonOption, SeedOption

app = typer.Typer(
    help="The project's own benchmarks, each beside a peer in one run.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def counters(
    space: Annotated[str, typer.Option("--space", help="Design space to draw networks from.")] = "mobilenet_v2",
    number: Annotated[int, typer.Option("-n", "--number", help="Networks to count.", min=1)] = 1_000_000,
    peers: Annotated[int, typer.Option("--peers", help="Networks that fvcore counts too.", min=1)] = 5,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Networks counted a second (MAdds, parameters and peak memory together, one core), beside fvcore.

    Example: archsearch bench counters --space mobilenet_v2
    """
    from archsearch.bench.counters import measure
    from archsearch.cli.show import console, print_json, table

    result = measure(space, number, peers=peers, seed=seed)
    if as_json:
        print_json(result)
        return
    ways = result["networks_per_second"]
    rows = [
        [name, f"{rate:,.1f}" if rate < 100 else f"{rate:,.0f}", f"{rate / ways['fvcore']:,.0f} x"]
        for name, rate in ways.items()
    ]
    out = console()
    out.print(
        f"{result['space']}: {number:,} networks, {peers} by fvcore; {result['cpu']}, one thread, seed {seed}",
        markup=False,
    )
    out.print(table(["way of counting", "networks/s", "against fvcore"], rows))
    out.print(
        f"equal on {result['checked']:,} networks (table = formula) and {peers} (formula = fvcore, madds and params)"
    )
