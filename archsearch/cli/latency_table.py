"""`latency table`: build one of a space on a device, verify it, show it, carry it over to another device."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.cli.latency_building import (
    builder_for,
    builder_on,
    check_held_out,
    judged_table,
    place,
    shown,
    source_of,
    space_of_table,
    written,
)
from archsearch.cli.latency_options import (
    BatchOption,
    ClassesOption,
    DeviceName,
    DtypeOption,
    SpaceOption,
    ThreadsNumber,
    check_place,
)
from archsearch.cli.options import ARCH_HELP, JsonOption, SeedOption

if TYPE_CHECKING:
    from archsearch.cost.latency import LatencyTable

app = typer.Typer(
    help="Latency tables: what the blocks of a space take on a device.", no_args_is_help=True, rich_markup_mode=None
)

TableArgument = Annotated[Path, typer.Argument(help="A table's file.", metavar="TABLE")]
HeldOut = Annotated[int, typer.Option("--held-out", help="Networks to judge the table by; 0: it is not judged.", min=0)]
OUT = "The table's file. [default: results/latency/SPACE-DEVICE-....json]"


@app.command()
def build(
    space: SpaceOption = "mobilenet_v2",
    device: DeviceName = "onnxruntime",
    threads: ThreadsNumber = 1,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    classes: ClassesOption = None,
    minutes: Annotated[float, typer.Option("--minutes", help="For measuring blocks and networks, about.")] = 12.0,
    blocks: Annotated[int | None, typer.Option("--blocks", help="Blocks to measure, at most.", min=8)] = None,
    networks: Annotated[int, typer.Option("--networks", help="Whole networks to calibrate by, at most.", min=2)] = 240,
    held_out: HeldOut = 50,
    out: Annotated[Path | None, typer.Option("--out", help=OUT)] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure the blocks of a space on a device, correct them by whole networks, judge the table by others.

    Killed, the same command goes on where it was, and --minutes counts the time of both. Blocks that there is no time
    for are told by their shapes. The file is written when the table has been judged.

    \b
    Examples:
      archsearch latency table build --space mobilenet_v2
      archsearch latency table build --space mobilenet_v2_small --classes 10 --device openvino --minutes 5
      archsearch latency table build --device remote:pi@raspberry
    """
    from archsearch.cli.latency_options import space_of, watch_of
    from archsearch.errors import LatencyError
    from archsearch.measure.blocks import calibrating
    from archsearch.measure.build import Builder, Plan, partial_of

    if not 0 < minutes < math.inf:
        raise LatencyError(f"--minutes must be above 0 and finite, got {minutes:g}")
    check_held_out(held_out)
    found, watch = space_of(space, classes), watch_of(device, threads=threads, batch=batch, dtype=dtype)
    path = out or place(found, space, device, watch.settings)
    check_place(path)
    networks = calibrating(found, networks, held_out, seed=seed)
    plan = Plan(space=found, minutes=minutes, most=blocks, networks=networks, seed=seed)
    builder = Builder(watch=watch, plan=plan, partial=partial_of(path, plan, watch))
    source = str(Path(space).resolve()) if space.endswith(".toml") else space
    with shown(builder):
        table = builder.table()
        table = replace(table, about={**table.about, "source": source})
        table = judged_table(table, builder, held_out, seed=seed + 1)
        written(table, path)
        builder.partial.done()
    tell(table, path, as_json=as_json)


@app.command()
def verify(
    table: TableArgument,
    held_out: HeldOut = 50,
    device: Annotated[str | None, typer.Option("--device", help="[default: the table's own]")] = None,
    usual: Annotated[bool, typer.Option("--usual", help="Also twice the usual way: medians of 100 calls.")] = False,
    seed: SeedOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Time networks that a table never saw, twice, and set its predictions beside those of MAdds and others.

    The verdict is kept in the table: one that failed is refused as a constraint. Exit code 1 where it fails.

    Example: archsearch latency table verify results/latency/mobilenet_v2-onnxruntime-t1-b1-float32.json --seed 3
    """
    from archsearch.cost.latency import read_table
    from archsearch.errors import LatencyError

    known = read_table(table)
    if held_out == 0:
        raise LatencyError("--held-out must be at least 3, got 0")
    check_held_out(held_out)
    check_place(table)
    builder = builder_for(known, table, device, what={"seed": seed, "reference": known.reference["ms"]})
    with shown(builder):
        judged = judged_table(known, builder, held_out, seed=seed, usual=usual)
        if judged.verified is None:
            raise LatencyError(f"{table} stays as it was: its space has no networks to judge it by")
        written(judged, table)
        builder.partial.done()
    tell(judged, table, as_json=as_json)
    if not judged.passed:
        raise typer.Exit(1)


@app.command()
def transfer(
    table: TableArgument,
    device: Annotated[str, typer.Option("--device", help="The device that it is carried over to.")],
    threads: ThreadsNumber = 1,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    networks: Annotated[int, typer.Option("--networks", help="Networks to measure there.", min=4)] = 15,
    held_out: HeldOut = 20,
    out: Annotated[Path | None, typer.Option("--out", help=OUT)] = None,
    seed: SeedOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Make a table of one device into one of another, from 10 to 20 networks measured there.

    Example: archsearch latency table transfer TABLE --device openvino
    """
    from archsearch.cli.latency_options import watch_of
    from archsearch.cost.latency import read_table
    from archsearch.measure.blocks import calibrating, sampled
    from archsearch.measure.transfer import transferred

    check_held_out(held_out)
    known = read_table(table)
    space = space_of_table(known)
    watch = watch_of(device, threads=threads, batch=batch, dtype=dtype)
    path = out or place(space, source_of(known), device, watch.settings, note="-transferred")
    check_place(path)
    networks = calibrating(space, networks, held_out, seed=seed)
    builder = builder_on(watch, space, path, "transfer", what={"seed": seed, "networks": networks})
    with shown(builder):
        moved = transferred(known, builder, sampled(space, networks, seed=seed))
        moved = judged_table(moved, builder, held_out, seed=seed + 1)
        written(moved, path)
        builder.partial.done()
    tell(moved, path, as_json=as_json)


@app.command()
def show(
    table: TableArgument,
    archs: Annotated[list[str] | None, typer.Argument(help=ARCH_HELP, metavar="[ARCH]...")] = None,
    as_json: JsonOption = False,
) -> None:
    """What a table holds, how it was judged, and what it says of networks.

    Example: archsearch latency table show TABLE mobilenet_v2 mobilenet_v2_0.75_192
    """
    from archsearch.cli.options import read_arch
    from archsearch.cli.show import console, print_json
    from archsearch.cli.show import table as grid
    from archsearch.cost.latency import read_table
    from archsearch.spec.text import to_text

    known = read_table(table)
    found = [(text, read_arch(text)) for text in archs or ()]
    told = [{"arch": to_text(arch), "ms": (ms := known.predict(arch)), "upper_ms": ms * known.margin,
             "not_measured": known.missing(arch)} for _, arch in found]  # fmt: skip
    if as_json:
        print_json({"path": str(table), **summary(known), "networks": told})
        return
    tell(known, table, as_json=False)
    if told:
        rows = [[text, f"{row['ms']:.4g}", f"{row['upper_ms']:.4g}", str(len(row["not_measured"]))]
                for (text, _), row in zip(found, told, strict=True)]  # fmt: skip
        console().print(grid(["network", "ms", "19 of 20 at most", "blocks told by shape"], rows))


def summary(table: "LatencyTable") -> dict[str, Any]:
    """What `--json` says of a table."""
    return {"space": table.space, "device": dict(table.fingerprint), "reference": dict(table.reference),
            "blocks": len(table.blocks), "margin": table.margin, "about": dict(table.about),
            "verified": table.verified}  # fmt: skip


def tell(table: "LatencyTable", path: Path, *, as_json: bool) -> None:
    """Print what a table is and how it was judged."""
    from archsearch.cli.latency_options import device_line
    from archsearch.cli.latency_show import print_judged
    from archsearch.cli.show import console, print_json

    if as_json:
        print_json({"written": str(path), **summary(table)})
        return
    out, about, error = console(), table.about, table.about.get("calibration_error")
    off = f"{100 * error:.1f} %" if isinstance(error, float) else "-"
    out.print(device_line(table.fingerprint), markup=False, soft_wrap=True)
    out.print(
        f"{len(table.blocks):,} of the {about.get('blocks_of_space', len(table.blocks)):,} blocks of {table.space} "
        f"measured; {len(table.networks)} whole networks calibrate them, each left out in turn is off by "
        f"{off}; a prediction's upper end is {table.margin:.3f} "
        f"times itself", markup=False, soft_wrap=True,
    )  # fmt: skip
    if table.verified:
        print_judged(table.verified)
    else:
        console(error=True).print("not verified: archsearch latency table verify judges it", style="yellow")
    out.print(f"table: {path}", markup=False, soft_wrap=True)
