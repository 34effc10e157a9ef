"""One `archsearch space refine` carried out: the run's networks read, its space narrowed and written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch.cli.show import console, table
from archsearch.errors import RunError, SpaceError

if TYPE_CHECKING:
    import pandas as pd

    from archsearch.explore.refine import Narrowed


def refined(
    run: Path, *, space: str | None, out: Path | None, costs: Sequence[str] | None, means: tuple[float, float]
) -> dict[str, Any]:
    """Narrow the space of a run and write it; the document that `--json` prints.

    costs    metrics whose effect is taken out; None = those that the run minimised
    means    confidence, and share of the networks in a resample
    raises   RunError or SpaceError where the run is too small, its space is another one, or the file is in the way
    """
    from archsearch.explore.refine import refine
    from archsearch.records import write_atomic
    from archsearch.report.frame import objectives_of, trials_frame
    from archsearch.report.networks import codes_of
    from archsearch.report.open import open_run
    from archsearch.spec.narrow import restricted
    from archsearch.spec.space_file import read_space, shipped
    from archsearch.spec.space_text import to_toml

    study, command, _ = open_run(run)
    name = space or str(command.get("space", ""))
    source = read_space(name)
    path = out or run / "refined.toml"
    if path.exists() and path.resolve() == shipped().get(name, Path(name)).resolve():
        raise RunError(f"{path} is the run's own space; write to another --out")
    frame = trials_frame(study)
    frame = frame[(frame["status"] == "trained") & frame["top1"].notna()].drop_duplicates("key")
    names = _costs(costs, objectives_of(study), frame)
    confidence, share = means
    try:
        codes = codes_of(study, source, [int(number) for number in frame["number"]])
    except SpaceError as error:
        raise SpaceError(f"{error}; name the right file with --space") from None
    told = refine(source, codes, 1 - frame["top1"].to_numpy(dtype=float), frame[names].to_numpy(dtype=float),
                  confidence=confidence, share=share)  # fmt: skip
    narrow = restricted(source, {each.axis.name: each.keep for each in told if each.dropped})
    document = {
        "run": str(run), "space": source.name, "out": str(path), "trials": len(frame), "confidence": confidence,
        "share": share, "costs": names, "sampler": str(command.get("sampler", "")),
        "size_before": source.size, "size_after": narrow.size, "axes": [_row(each) for each in told],
    }  # fmt: skip
    write_atomic(path, to_toml(narrow, comment=_comment(document)))
    return document


def _costs(asked: Sequence[str] | None, objectives: Sequence[str], frame: "pd.DataFrame") -> list[str]:
    """Columns of the costs to take out of the error."""
    names = [name for name in objectives if name != "top1"] if asked is None else [n for n in asked if n != "none"]
    for name in names:
        if name not in frame or frame[name].isna().any():
            raise RunError(f"the run does not know {name!r} of every network; choose another --cost")
    return list(dict.fromkeys(names))


def _row(each: "Narrowed") -> dict[str, Any]:
    """One axis as plain values."""
    return {
        "axis": each.axis.name, "before": list(each.axis.values), "after": list(each.keep), "p": each.p,
        "tried": list(each.tried), "wins": list(each.wins), "why": each.why,
    }  # fmt: skip


def _comment(told: Mapping[str, Any]) -> str:
    """What stands on top of the new file."""
    costs = f"at equal {' and '.join(told['costs'])}" if told["costs"] else "whatever they cost"
    return (
        f"Space {told['space']}, narrowed by `archsearch space refine {told['run']}` to where the best networks are,\n"
        f"{costs}: {told['trials']} trained networks, confidence {100 * told['confidence']:g} %, "
        f"{told['size_before']:,} codes before and {told['size_after']:,} now."
    ).replace("\r", " ")


def print_refined(told: Mapping[str, Any]) -> None:
    """Every axis before and after, with the reason; sizes; where the new file lies."""
    out = console()
    rows = [
        [row["axis"], _listed(row["before"]), _listed(row["after"]) if row["after"] != row["before"] else "the same",
         f"{row['p']:.3f}" if row["p"] >= 0.001 else f"{row['p']:.0e}", row["why"]]
        for row in told["axes"]
    ]  # fmt: skip
    out.print(table(["axis", "before", "after", "p", "why"], rows, left=(0, 1, 2, 4)))
    costs = f"at equal {', '.join(told['costs'])}" if told["costs"] else "whatever they cost"
    out.print(
        f"{told['trials']} trained networks, {costs}, confidence {100 * told['confidence']:g} %: "
        f"{told['size_before']:,} codes before, {told['size_after']:,} after",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    if told["sampler"] not in ("", "random"):
        out.print(f"note: the trials were chosen by {told['sampler']}, which looks where it found good ones; "
                  "ranges from --sampler random are safer", markup=False, style="yellow", soft_wrap=True)  # fmt: skip
    out.print(told["out"], markup=False, soft_wrap=True)


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))
