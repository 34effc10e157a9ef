"""The nouns of one training: its data, its circumstances, its log and its result."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archsearch.errors import RecipeError

if TYPE_CHECKING:
    from archsearch.data.dataset import Split


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainData:
    """Images to learn from and images to be judged by."""

    train: "Split"
    eval: "Split"  # validation while searching, test for the final front
    mean: Sequence[float]
    std: Sequence[float]
    flip: bool  # may images be mirrored?
    fingerprint: str = ""  # of the data set; the labels of both splits are added to it


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRun:
    """Where and under what limits a training runs; only `seed` and `size` change its result.

    raises   RecipeError for a size, seed or limit that cannot be
    """

    folder: Path | None = None  # of the checkpoints; None keeps none
    device: str = "cpu"
    seed: int = 0
    size: int = 32  # resolution [pixels]
    time_limit_s: float | None = None  # of the whole training, resumed parts included
    eval_every: int = 0  # epochs between evaluations; 0 = after the last epoch only
    until: int | None = None  # epoch to halt after, judged there; called again with more it goes on; None = the last
    clock: Callable[[], float] = time.monotonic
    core_clock: Callable[[], float] = time.process_time  # seconds that this process's threads worked, together

    def __post_init__(self) -> None:
        for field, low in (("size", 1), ("seed", 0), ("eval_every", 0)):
            if getattr(self, field) < low:
                raise RecipeError(f"training {field} must be at least {low}, got {getattr(self, field)}")
        if self.until is not None and self.until < 1:
            raise RecipeError(f"training until must be at least 1, got {self.until}")
        if self.time_limit_s is not None and not self.time_limit_s > 0:
            raise RecipeError(f"training time limit must be above 0 s, got {self.time_limit_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochLog:
    """What is known after one epoch."""

    epoch: int  # from 1
    epochs: int  # in all
    train_loss: float  # mean over the epoch's images, label smoothing included
    lr: float  # of the epoch's last step
    seconds: float  # of this epoch, evaluation included
    top1: float | None = None  # fraction; None where the epoch was not evaluated
    top5: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """The last epoch's figures, never the best epoch's; where the training halted, those of that epoch."""

    top1: float  # fraction of `images`
    top5: float  # within the first min(5, classes) guesses
    images: int  # evaluated
    epochs: int
    seconds: float  # of all epochs, those before a resume included
    train_loss: float  # of the last epoch
    history: tuple[EpochLog, ...]
    resumed_from: int = 0  # epochs that were done before this call
