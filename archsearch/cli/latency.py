"""The commands about hardware: `latency measure` times networks; plan and import; tables are in latency_table.py."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.cli import latency_sheet, latency_table
from archsearch.cli.latency_options import (
    BatchOption,
    DeviceName,
    DtypeOption,
    ThreadsNumber,
    check_place,
    told_device,
    watch_of,
)
from archsearch.cli.options import ARCH_HELP, JsonOption, SeedOption

if TYPE_CHECKING:
    from archsearch.measure.method import Measurement

HELP = "Milliseconds: measure networks, make and judge latency tables, bring in those of other devices."
app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(latency_table.app, name="table")
app.command("plan")(latency_sheet.plan)
app.command("import")(latency_sheet.import_sheet)


@app.command()
def measure(
    archs: Annotated[list[str], typer.Argument(help=ARCH_HELP, metavar="ARCH...")],
    device: DeviceName = "onnxruntime",
    threads: ThreadsNumber = 1,
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
    target: Annotated[float, typer.Option("--target", help="Half-width of the 95 % interval, a share.")] = 0.03,
    most: Annotated[int, typer.Option("--most", help="Visits of a network, at most.", min=3)] = 60,
    anchor: Annotated[
        Path | None, typer.Option("--anchor", help="Keeps the reference's speed, so that days can be compared.")
    ] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Also the runtime's peak resident memory.")] = False,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Time networks on a device, side by side: interleaved, paired with a reference network, with intervals.

    \b
    Examples:
      archsearch latency measure mobilenet_v2 mobilenet_v2_0.75_192
      archsearch latency measure 'results/my-run#best' --device openvino --threads 2 --memory
      archsearch latency measure mobilenet_v2 --device remote:pi@raspberry
    """
    from archsearch.cli.latency_show import print_measured
    from archsearch.cli.options import read_arch
    from archsearch.cli.show import print_json
    from archsearch.errors import DeviceError
    from archsearch.measure.anchor import write_anchor
    from archsearch.measure.method import Effort
    from archsearch.spec.text import to_text

    if not 0 < target < 1:
        raise DeviceError(f"--target is a share between 0 and 1, got {target:g}")
    if memory and device.startswith("remote:"):
        raise DeviceError("--memory is measured on this machine; leave it out with a remote device")
    networks = [(text, read_arch(text)) for text in dict.fromkeys(archs)]
    watch = watch_of(device, threads=threads, batch=batch, dtype=dtype)
    known = known_anchor(watch, anchor)
    found, base = timed(watch, networks, effort=Effort(target=target, most=most, least=min(8, most)),
                        anchor=known, seed=seed)  # fmt: skip
    if memory:
        found = with_memory(found, networks, device, watch.settings)
    fingerprint = watch.fingerprint()
    if as_json:
        rows = [{"arch": to_text(arch), **made.to_dict()} for (_, arch), made in zip(networks, found, strict=True)]
        print_json({"device": fingerprint, "reference_ms": base, "measurements": rows})
    else:
        print_measured(found, memory=memory)
        told_device(fingerprint, base)
    if anchor is not None and known is None:
        write_anchor(anchor, fingerprint, base)


def known_anchor(watch: Any, anchor: Path | None) -> float | None:
    """What the reference takes by the file `anchor` [ms]; None where that is still to be written, and can be."""
    from archsearch.measure.anchor import read_anchor

    if anchor is None:
        return None
    known = read_anchor(anchor, watch.fingerprint())
    if known is None:
        check_place(anchor)
    return known


def timed(watch: Any, networks: list[tuple[str, Any]], *, effort: Any, anchor: float | None, seed: int) -> Any:
    """Measurements of networks with a progress bar, and the reference's ms."""
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console
    from archsearch.measure.model import whole
    from archsearch.measure.pick import reference

    models = [whole(arch, text) for text, arch in networks]
    with bar(console(error=True), "measuring") as progress:
        found, base = watch.measure(models, reference(), anchor=anchor, effort=effort, seed=seed,
                                    tell=lambda done, total: progress(done, total, ""))  # fmt: skip
    return found, base


def with_memory(found: "list[Measurement]", networks: list[tuple[str, Any]], device: str, settings: Any) -> Any:
    """The measurements with the runtime's peak memory, each in a process of its own."""
    from dataclasses import replace

    from archsearch.cli.bars import bar
    from archsearch.cli.show import console
    from archsearch.measure.memory import peak_memory
    from archsearch.measure.model import whole

    made = []
    with bar(console(error=True), "memory") as progress:
        for nth, ((text, arch), each) in enumerate(zip(networks, found, strict=True)):
            progress(nth, len(networks), text)
            made.append(replace(each, memory_bytes=peak_memory(device, settings, whole(arch, text))))
    return made
