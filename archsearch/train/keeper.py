"""The two checkpoints of a training: `last.pt`, and `previous.pt` for when the last is damaged."""

import logging
import os
from pathlib import Path
from typing import Any

from archsearch.errors import CheckpointError
from archsearch.train import checkpoint

LAST, PREVIOUS = "last.pt", "previous.pt"
log = logging.getLogger("archsearch")


class Keeper:
    """The checkpoints in one folder; with no folder nothing is kept.

    raises   CheckpointError where the folder cannot be made
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._last_is_good = True
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"cannot make checkpoint folder {folder}: {error.strerror or error}") from error

    def write(self, state: dict[str, Any]) -> None:
        """Keeps this state, and the one before it; at every moment at least one whole file is there."""
        if self.folder is None:
            return
        last = self.folder / LAST
        fresh = self.folder / "next.pt"
        checkpoint.save(fresh, state)
        if last.exists() and self._last_is_good:
            os.replace(last, self.folder / PREVIOUS)
        os.replace(fresh, last)
        self._last_is_good = True

    def newest(self) -> dict[str, Any] | None:
        """The newest state that can be trusted; None where there is none yet.

        A damaged `last.pt` with a good `previous.pt` costs one epoch and a warning.
        raises   CheckpointError where files are there and none can be trusted
        """
        if self.folder is None:
            return None
        failed: CheckpointError | None = None
        for path in (self.folder / LAST, self.folder / PREVIOUS):
            if not path.exists():
                continue
            try:
                state = checkpoint.load(path)
            except CheckpointError as error:
                failed = failed or error
                self._last_is_good = self._last_is_good and path.name != LAST
                continue
            if failed:
                log.warning("%s; going on from %s", failed, path.name)
            return state
        if failed:
            raise CheckpointError(f"{failed}; delete {self.folder} to start this training again")
        return None
