"""Labels for evaluators that learn: what the runs and the trust reports of `--from` measured."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.cli.request import Request
    from archsearch.search.known import Labels, Measured


def is_report(folder: Path) -> bool:
    """Whether a folder holds a trust report."""
    from archsearch.cli.trusting import COMMAND

    return (folder / COMMAND).is_file()


def runs_of(folders: Sequence[Path]) -> list[Path]:
    """The folders that are no trust reports."""
    return [folder for folder in folders if not is_report(folder)]


def learnt_from(request: "Request") -> "Labels":
    """The measured networks of `--from` that an evaluator may learn from, and what is told of each folder."""
    from archsearch.search.known import labels, measured

    if not request.earlier:
        return labels((), request.problem, "")
    reports = [of_report(folder) for folder in dict.fromkeys(request.earlier) if is_report(folder)]
    runs = [measured(run) for run in request.earlier_runs]
    found = labels([*runs, *reports], request.problem, request.dataset.fingerprint)
    for text in found.told:
        request.log.print(f"  {text}", markup=False, soft_wrap=True)
    return found


def of_report(folder: Path) -> "Measured":
    """The trainings of a trust report, the mean of each network's seeds.

    raises   RunError where nothing was trained there, or a file is damaged
    """
    from archsearch.cli.trusting import COMMAND
    from archsearch.records import read_toml
    from archsearch.search.known import TRAINING, Measured
    from archsearch.trust.truth import known

    command = read_toml(folder / COMMAND)
    return Measured(
        name=str(folder.resolve()),
        data_hash=str(command.get("data_hash", "")),
        evaluator="table" if command.get("table_hash") else "train",
        training=tuple(command.get(name) for name in TRAINING),
        known=tuple(known(folder)),
    )


def check_used(request: "Request") -> None:
    """Raise RunError where a trust report is named and the evaluator, which is made, has asked for no labels."""
    reports = [folder for folder in request.earlier if is_report(folder)]
    if reports and "labels" not in request.__dict__:
        raise RunError(
            f"--from {reports[0]} is a trust report: evaluators that learn (predictor, ensemble) use it, "
            f"{request.given['evaluator']} does not"
        )
