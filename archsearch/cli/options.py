"""Options that several commands share, and the reading of `ARCH`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsearch.errors import RunError, SpecError

if TYPE_CHECKING:
    from archsearch.spec.arch import Arch

ARCH_HELP = (
    "A preset (mobilenet_v2_0.75_192), a .json file, a text form (r224 stem_c32 ir_r1_e1_c16 ...) or RUN#12, RUN#best."
)

ArchArgument = Annotated[str, typer.Argument(help=ARCH_HELP, metavar="ARCH")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of everything random.", min=0)]


def read_arch(text: str) -> "Arch":
    """The network that an `ARCH` argument names.

    raises   SpecError or RunError saying what could not be found
    """
    from archsearch.spec.presets import read_arch as read

    folder, mark, which = text.rpartition("#")
    return from_run(Path(folder), which) if mark else read(text)


def from_run(folder: Path, which: str) -> "Arch":
    """The network of trial `which` of a run, or its most accurate one on the front ("best")."""
    from archsearch.report.open import open_run
    from archsearch.report.tables import front_records
    from archsearch.spec.arch import Arch

    study, _, _ = open_run(folder)
    trials = study.get_trials(deepcopy=False)
    if which == "best":
        members = front_records(study)
        if not members:
            raise RunError(f"{folder} has no finished trial yet, so none is best")
        number = int(max(members, key=lambda row: row["top1"])["trial"])
    elif re.fullmatch(r"\d+", which) and int(which) < len(trials):
        number = int(which)
    else:
        raise SpecError(f"{folder} has no trial {which!r}; it has 0 to {len(trials) - 1}, or write #best")
    return Arch.from_dict(trials[number].user_attrs["arch_json"])
