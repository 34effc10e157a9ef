"""Where a run lies, and what a run that lies there already began with."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archsearch.errors import RunError


def named_folder(
    data: str | Path | None, budgets: Mapping[str, str], given: Mapping[str, Any], *, told: tuple[Any, ...]
) -> Path:
    """A folder named by what was asked for, so that the same command finds it again.

    data     the images or the table
    given    options of the command; None = default
    told     what else tells two runs apart: space, what to minimise, mapping
    """
    from archsearch.search.config import FREE

    sampler = {None: "random", "random": "stratified"}  # so that folders named by older versions are found
    given = {**given, "sampler": sampler.get(given["sampler"], given["sampler"])}
    asked = {name: value for name, value in given.items() if name not in FREE and value is not None}
    space, minimize, *more = told
    parts = (dict(budgets), space, str(Path(data).resolve()) if data else None, minimize, asked, *more)
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:6]
    budget = "-".join(f"{name}{text}" for name, text in budgets.items()) or "free"
    words = f"{Path(data or 'digits').stem}-{budget}"
    safe = "".join(c if c.isalnum() or c in "-." else "_" for c in words)[:80]
    return Path("results") / f"run-{safe}-{digest}"


def stored_file(path: Path) -> dict[str, Any]:
    """The values of a command's own TOML file in its folder; empty where there is none.

    raises   RunError where it is damaged
    """
    from archsearch.records import read_toml

    return read_toml(path) if path.is_file() else {}


def stored_command(folder: Path) -> dict[str, Any]:
    """The command of a run that lies in a folder already, checked; empty where there is none.

    raises   RunError where it cannot be read
    """
    from archsearch.records import RunFolder, read_toml
    from archsearch.search.config import RunConfig

    command = RunFolder(folder).command
    try:
        stored = read_toml(command) if command.is_file() else {}
    except OSError as error:
        raise RunError(f"results folder {folder} cannot be used: {error.strerror or error}") from None
    RunConfig.check(stored)
    return stored
