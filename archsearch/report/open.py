"""A run's folder opened for reading: its study, its resolved command and its manifest."""

import json
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend, JournalStorage

from archsearch.errors import RunError
from archsearch.records import STUDY, RunFolder, read_toml


def open_run(run_dir: Path) -> tuple[optuna.Study, dict[str, Any], dict[str, Any]]:
    """The study, the parsed `run.toml` and the parsed `manifest.json` of one run.

    Reads only: a folder that is no run stays as it is.
    raises   RunError, one line, naming the file that is missing or cannot be read
    """
    folder = RunFolder(Path(run_dir))
    if folder.root.is_file():
        raise RunError(f"{run_dir} is a file, not the results folder of a run")
    if not folder.root.is_dir():
        raise RunError(f"no run at {run_dir}: the folder does not exist")
    for path in (folder.command, folder.manifest):
        if not path.is_file():
            raise RunError(f"{run_dir} is not a run: it has no {path.name}")
    run = read_toml(folder.command)
    study = _load_study(folder, run.get("storage"), run.get("study", STUDY))
    return study, run, read_manifest(folder.manifest)


def read_manifest(path: Path) -> dict[str, Any]:
    """The values of manifest.json; raises RunError naming it where it is damaged."""
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {_one_line(error)}") from error
    if not isinstance(parsed, dict):
        raise RunError(f"{path} cannot be read: expected an object, got {type(parsed).__name__}")
    return parsed


def _load_study(folder: RunFolder, url: str | None, name: str) -> optuna.Study:
    """The study of a run; `url` is its Optuna storage where that is not the journal in the folder."""
    journal = folder.journal
    if not url and not journal.is_file():
        raise RunError(f"{folder.root} is not a run: it has no {journal.name}")
    try:
        storage = url or JournalStorage(JournalFileBackend(str(journal)))
        return optuna.load_study(study_name=name, storage=storage)
    except KeyError as error:
        raise RunError(f"{url or journal} holds no study named {name!r}") from error
    except Exception as error:  # each kind of storage has its own errors; all mean: this cannot be read
        raise RunError(f"{url or journal} cannot be read: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
