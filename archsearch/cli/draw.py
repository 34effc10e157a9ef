"""The command that draws a network."""

import re
from pathlib import Path
from typing import Annotated

import typer

from archsearch.cli.options import ArchArgument, JsonOption, read_arch

OUT = "File to write, .svg or .html. [default: KEY.svg here, KEY being the network's key]"


def draw(
    arch: ArchArgument,
    out: Annotated[Path | None, typer.Option("--out", help=OUT, metavar="FILE")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw one network stage by stage: shapes, blocks, shares of the costs, where the memory's peak is.

    An .svg file holds the picture, an .html page the picture and a table of all operations. Both stand alone.

    Example: archsearch draw mobilenet_v2_0.75_192 --out net.html
    """
    from archsearch.cli.show import console, print_json
    from archsearch.cost.count import record
    from archsearch.report.diagram import diagram, summary
    from archsearch.report.sheet import check, write

    if out is not None:
        check(out)
    network = read_arch(arch)
    drawn = diagram(network, name=title(arch))
    path = out or Path(f"{drawn.key}.svg")
    write(drawn, path)
    if as_json:
        print_json({**record(network), "written": str(path), "peak": drawn.peak, "stages": summary(drawn)})
        return
    console().print(str(path), markup=False, soft_wrap=True)


def title(arch: str) -> str:
    """What a picture is called: the `ARCH` argument, but for a text form, which stands in the picture anyway."""
    return "" if re.search(r"\s", arch.strip()) else arch.strip()
