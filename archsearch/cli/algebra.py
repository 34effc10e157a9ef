"""Commands on the networks of a space: is one in it, what lies around it; narrower spaces and unions for the others."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsearch.cli.options import ArchArgument, JsonOption, read_arch

if TYPE_CHECKING:
    from archsearch.spec.space import SearchSpace
    from archsearch.spec.union import Union

SPACE_HELP = "A shipped space by name, a .toml file, or several joined by +."
FIX_HELP = "Keep only these values of an axis, AXIS=VALUE[,VALUE]; AXIS may be a pattern like '*.kernel'. Repeatable."
SpaceArgument = Annotated[str, typer.Argument(help=SPACE_HELP, metavar="SPACE")]
FixOption = Annotated[list[str] | None, typer.Option("--fix", help=FIX_HELP, metavar="AXIS=VALUE[,VALUE]")]
SHOWN = ("madds", "params", "peak_memory")


def contains(space: SpaceArgument, arch: ArchArgument, fix: FixOption = None, as_json: JsonOption = False) -> None:
    """Whether a space has a network: its choices there, or what is not in the space.

    Networks are compared by what they compute, not by how they are spelled.

    Example: archsearch space contains mobilenet_v2 mobilenet_v2_1.4_224
    """
    from archsearch.cli.show import console, print_json, table
    from archsearch.errors import SpaceError

    network = read_arch(arch)
    read = of_classes(opened(space, fix), network)
    try:
        found = found_in(read, network)
    except SpaceError as error:
        if as_json:
            print_json({"contains": False, "reason": str(error)})
        else:
            console().print(f"no: {error}", markup=False, soft_wrap=True)
        return
    if as_json:
        print_json({"contains": True, **found})
        return
    out = console()
    out.print(f"yes: {found['space']} has it as code {found['number']:,}", markup=False, soft_wrap=True)
    rows = [[name, str(value), "makes no difference here" if name in found["unused"] else ""]
            for name, value in found["values"].items()]  # fmt: skip
    out.print(table(["axis", "choice", ""], rows, left=(0, 1, 2)))


def neighbours(
    space: SpaceArgument,
    arch: ArchArgument,
    ordered: Annotated[
        bool, typer.Option("--ordered", help="Of an axis of numbers, the next lower and higher value only.")
    ] = False,
    fix: FixOption = None,
    as_json: JsonOption = False,
) -> None:
    """The other networks one choice away from a network of a space, with their costs.

    Example: archsearch space neighbours mobilenet_v2 mobilenet_v2_1.0_224 --ordered
    """
    from archsearch.cli.show import console, print_json, table
    from archsearch.cost.budget import show

    network = read_arch(arch)
    records = around(of_classes(opened(space, fix), network), network, ordered=ordered)
    if as_json:
        print_json(records)
        return
    rows = [[row["axis"], f"{row['from']} > {row['to']}", str(row["key"]), *(show(row[name], name) for name in SHOWN)]
            for row in records]  # fmt: skip
    console().print(table(["axis", "change", "key", "MAdds", "params", "peak memory"], rows, left=(0, 1, 2)))


def opened(text: str, fix: list[str] | None = None) -> "SearchSpace | Union":
    """The space that `SPACE` and `--fix` name: one space, or a union of those joined by +.

    raises   SpaceError for an unknown space, axis or value; in a union an axis must be one of some member
    """
    import os

    from archsearch.spec.narrow import fixes, matching, restricted
    from archsearch.spec.space_file import read_space
    from archsearch.spec.union import union

    keep = fixes(fix or [])
    if "+" not in text or os.path.isfile(text):
        return restricted(read_space(text), keep)
    members = [read_space(name) for name in text.split("+")]
    known = [{name for name in keep if matching(member, name)} for member in members]
    lost = next((name for name in keep if not any(name in names for names in known)), None)
    if lost is not None:
        restricted(members[0], {lost: keep[lost]})  # says which axes there are
    narrow = [restricted(member, {name: keep[name] for name in keep if name in names})
              for member, names in zip(members, known, strict=True)]  # fmt: skip
    return union(*narrow)


def of_classes(read: "SearchSpace | Union", network: Any) -> "SearchSpace | Union":
    """The same space with the network's number of classes, which follows from images and is no choice of a space."""
    from archsearch.spec.union import Union, union

    if isinstance(read, Union):
        return union(*(each.with_classes(network.head.classes) for each in read.spaces))
    return read.with_classes(network.head.classes)


def one_space(text: str, fix: list[str] | None = None) -> "SearchSpace":
    """The one space that `SPACE` and `--fix` name; raises SpaceError for a union."""
    from archsearch.errors import SpaceError
    from archsearch.spec.union import Union

    read = opened(text, fix)
    if isinstance(read, Union):
        raise SpaceError(f"{text!r} is several spaces, and this needs one")
    return read


def found_in(read: "SearchSpace | Union", network: Any) -> dict[str, Any]:
    """What is known of a network in a space; raises SpaceError with the reason where it is not in it."""
    from archsearch.cost.count import record
    from archsearch.spec.algebra import code_number, used

    space, code = located(read, network)
    idle = [axis.name for axis, matters in zip(space.axes, used(space, code[None])[0], strict=True) if not matters]
    return {"space": space.name, "values": space.values(code), "unused": idle, "code": code.tolist(),
            "number": code_number(space, code), **record(network)}  # fmt: skip


def located(read: "SearchSpace | Union", network: Any) -> tuple["SearchSpace", Any]:
    """(space, code) of a network; of a union, in the first member that has it."""
    from archsearch.spec.union import union

    both = union(read)
    member, code = both.encode(network)
    return both.spaces[member], code


def around(read: "SearchSpace | Union", network: Any, *, ordered: bool) -> list[dict[str, Any]]:
    """One record for each neighbour: the axis that changes, from what to what, and the network."""
    from archsearch.cost.count import record
    from archsearch.spec.algebra import neighbours as near

    space, code = located(read, network)
    before, records = space.values(code), []
    for other in near(space, code, ordered=ordered):
        axis = space.axes[int((other != code).argmax())].name
        records.append({"axis": axis, "from": before[axis], "to": space.values(other)[axis],
                        **record(space.decode(other))})  # fmt: skip
    return records


# unions -------------------------------------------------------------------------------------------------------------


def show_union(both: "Union", *, as_json: bool) -> None:
    """The members of a union, what they share, and the range of each cost."""
    import numpy as np

    from archsearch.cli.show import HEADINGS, console, percent, print_json, table
    from archsearch.cost.budget import show
    from archsearch.cost.count import BUILT_IN
    from archsearch.cost.unions import ends_of

    known = both.overlap(np.random.default_rng(0))
    ends = {name: ends_of(both, name) for name in BUILT_IN}
    if as_json:
        print_json({
            "name": both.name, "size": both.size, "networks": known.networks, "exact": known.exact,
            "spaces": [{"name": space.name, "size": space.size, "axes": len(space.axes), "shared": shared}
                       for space, shared in zip(both.spaces, known.shared, strict=True)],
            "costs": {name: {"min": low, "max": high, "exact": exact} for name, (low, high, exact) in ends.items()},
        })  # fmt: skip
        return
    out = console()
    counted = "" if known.networks is None else f", {known.networks:,} distinct networks"
    out.print(f"{both.name}: {both.size:,} codes in {len(both.spaces)} spaces{counted}", markup=False, soft_wrap=True)
    rows = [[space.name, f"{space.size:,}", str(len(space.axes)), percent(shared)]
            for space, shared in zip(both.spaces, known.shared, strict=True)]  # fmt: skip
    out.print(table(["space", "codes", "axes", "in another too" + ("" if known.exact else " (of a sample)")], rows))
    rows = [[HEADINGS[name], show(low, name), show(high, name), "exact" if exact else "searched"]
            for name, (low, high, exact) in ends.items()]  # fmt: skip
    out.print(table(["cost", "least", "most", ""], rows, left=(0, 3)))
