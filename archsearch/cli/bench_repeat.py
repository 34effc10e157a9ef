"""The commands `archsearch bench repeat-latency` and `predict-latency`: how exact latencies are, how fast foretold."""

from pathlib import Path
from typing import Annotated, Any

import typer

from archsearch.cli.latency_options import DeviceName, ThreadsNumber
from archsearch.cli.options import ArchArgument, JsonOption, SeedOption


def repeat_latency(
    arch: ArchArgument = "mobilenet_v2",
    device: DeviceName = "onnxruntime",
    threads: ThreadsNumber = 1,
    processes: Annotated[int, typer.Option("--processes", help="Processes that each measure it.", min=2)] = 10,
    minutes: Annotated[float, typer.Option("--minutes", help="Over which they are spread.", min=0)] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """One network in many processes, by the method and by the plain median of 100 calls; then beside a busy core.

    Example: archsearch bench repeat-latency mobilenet_v2 --processes 10 --minutes 10
    """
    import tempfile

    from archsearch.bench.repeatability import Question, repeated
    from archsearch.bench.sentinel import caught, other_core
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console, print_json

    question = Question(arch=arch, device=device, threads=threads, processes=processes, minutes=minutes)
    other_core(threads)  # is told before the minutes are spent
    with tempfile.TemporaryDirectory() as folder, bar(console(error=True), "bench repeat-latency") as progress:
        result = repeated(question, Path(folder), progress)
        result["sentinel"] = caught(question, Path(folder))
    if as_json:
        print_json(result)
    else:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    from archsearch.cli.show import console, table

    out = console()
    names = {"plain": "median of 100 calls, plain", "raw": "method, not corrected", "corrected": "method, corrected"}
    rows = [[told, *(f"{100 * result['spread'][name][each]:.2f} %" for each in ("deviation", "range")),
             " ".join(f"{ms:.3g}" for ms in result["ms"][name])] for name, told in names.items()]  # fmt: skip
    out.print(table(["way", "standard deviation", "range", "ms of each process"], rows, left=(0, 3)))
    tight = result["times_as_tight"]
    out.print(f"{result['arch']} on {result['device']}, {result['threads']} thread(s), {len(result['ms']['plain'])} "
              f"processes in {result['minutes']:.1f} minutes: the method is {tight['deviation']:.1f} times as tight as "
              f"the plain way ({tight['range']:.1f} times by range)", markup=False, soft_wrap=True)  # fmt: skip
    rows = [[name, f"{each['ms']:.4g}", f"{each['raw_ms']:.4g}", f"{each['foreign_load'] or 0:.2f}",
             f"{each['drifted']} of {each['drifted'] + each['visits']}", "yes" if each["caught"] else "no"]
            for name, each in result["sentinel"].items()]  # fmt: skip
    out.print(table(["machine", "ms", "raw ms", "cores that others used", "visits in drift", "load reported"], rows))


def predict_latency(
    table: Annotated[Path, typer.Argument(help="A latency table's file.", metavar="TABLE")],
    number: Annotated[int, typer.Option("-n", "--number", help="Networks to foretell.", min=1)] = 1_000_000,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Networks whose latency a table foretells a second, one thread, checked against sums made anew.

    Example: archsearch bench predict-latency results/latency/mobilenet_v2-onnxruntime-t1-b1-float32.json
    """
    from archsearch.bench.sentinel import speed
    from archsearch.cli.latency_table import space_of_table
    from archsearch.cli.show import console, print_json
    from archsearch.cost.latency import read_table

    known = read_table(table)
    with console(error=True).status("foretelling"):
        result = speed(known, space_of_table(known), number, seed=seed)
    if as_json:
        print_json(result)
        return
    console().print(
        f"{result['networks_per_second']:,.0f} networks/s from the space's tables (made in "
        f"{result['making_seconds']:.1f} s; with that {result['with_making']:,.0f}/s for {number:,}); "
        f"{result['formula_per_second']:,.0f}/s summed anew from the blocks; equal for {result['checked']:,} networks",
        markup=False, soft_wrap=True,
    )  # fmt: skip
