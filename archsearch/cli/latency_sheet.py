"""`latency plan` and `latency import`: tables of devices that only their owner can reach."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from archsearch.cli.latency_options import BatchOption, ClassesOption, SpaceOption
from archsearch.cli.options import JsonOption, SeedOption


def plan(
    space: SpaceOption = "mobilenet_v2",
    out: Annotated[Path, typer.Option("--out", help="Folder for the models and the CSV.")] = Path("latency-plan"),
    most: Annotated[int, typer.Option("--blocks", help="Blocks to measure, at most.", min=8)] = 300,
    networks: Annotated[int, typer.Option("--networks", help="Whole networks to calibrate, and to judge.", min=8)] = 20,
    classes: ClassesOption = None,
    batch: BatchOption = 1,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Write block models, networks and a CSV to fill in with the milliseconds that your own device takes.

    Example: archsearch latency plan --space mobilenet_v2 --out my-phone
    """
    from archsearch.cli.latency_options import space_of
    from archsearch.cli.show import console, print_json
    from archsearch.measure.sheet import SHEET, write_plan

    source = str(Path(space).resolve()) if space.endswith(".toml") else space
    with console(error=True).status("writing models"):
        rows = write_plan(space_of(space, classes), out, source=source, most=most, networks=networks,
                          batch=batch, seed=seed)  # fmt: skip
    if as_json:
        kinds = [row.kind for row in rows]
        print_json({"folder": str(out), "csv": str(out / SHEET), "models": len(rows),
                    "kinds": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}})  # fmt: skip
        return
    call = f"archsearch latency import {shlex.quote(str(out))} --device-name NAME"
    console().print(f"{len(rows)} models in {out}/models; fill the column ms of {out / SHEET} in, then:\n{call}",
                    markup=False, soft_wrap=True)  # fmt: skip


def import_sheet(
    folder: Annotated[Path, typer.Argument(help="The folder of `latency plan`, its CSV filled in.", metavar="FOLDER")],
    device_name: Annotated[str, typer.Option("--device-name", help="What the device is called.")],
    out: Annotated[Path | None, typer.Option("--out", help="The table's file. [default: FOLDER/NAME.json]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a latency table of the milliseconds that were filled in; networks held out judge it.

    Example: archsearch latency import my-phone --device-name pixel-8
    """
    from archsearch.cli.latency_building import written
    from archsearch.cli.latency_show import print_judged
    from archsearch.cli.show import console, print_json
    from archsearch.errors import LatencyError
    from archsearch.measure.sheet import SHEET, imported, read_plan, read_sheet

    safe = "".join(c if c.isalnum() or c in "-." else "_" for c in device_name)
    path = out or folder / f"{safe}.json"
    if out is None and path.exists():
        raise LatencyError(f"{path} is there already; name a file with --out, this one to replace it")
    told = read_plan(folder)
    with console(error=True).status("fitting"):
        table = imported(told.space, read_sheet(folder / SHEET), device=device_name, batch=told.batch)
    written(replace(table, about={**table.about, "source": told.source}), path)
    if as_json:
        print_json({"written": str(path), "blocks": len(table.blocks), "margin": table.margin,
                    "verified": table.verified})  # fmt: skip
        return
    if table.verified:
        print_judged(table.verified)
    else:
        console(error=True).print("no networks held out were filled in: the table is not verified", style="yellow")
    console().print(f"table: {path}", markup=False, soft_wrap=True)
