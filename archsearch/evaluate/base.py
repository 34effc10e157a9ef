"""What an evaluator is: a network in, named quantities with their standard error out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from archsearch.spec.arch import Arch

if TYPE_CHECKING:
    from archsearch.data.dataset import Dataset
    from archsearch.evaluate.table import Table
    from archsearch.spec.space import SearchSpace
    from archsearch.train.recipe import Recipe

Progress = Callable[[int, int, str], None]  # done, of how many, what it says


def _silent(done: int, total: int, text: str) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One evaluation: its number and seed, a folder for checkpoints, a way to tell how far it is."""

    number: int
    seed: int
    folder: Path
    progress: Progress = _silent
    time_limit_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What came out; accuracies are fractions."""

    top1: float
    top1_se: float  # standard error of top1
    top5: float
    seconds: float
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What an evaluator may ask for when it is made; a plug-in is a function `Setup -> Evaluator`."""

    dataset: "Callable[[], Dataset]"  # decodes the images when it is called, once
    recipe: "Recipe"  # of a trial
    final_recipe: "Recipe"  # of the front's retraining
    images: int  # training images of a trial
    device: str = "cpu"
    space: "SearchSpace | None" = None  # of the run
    table: "Table | None" = None  # where one stands for training


class Evaluator(Protocol):
    """Says how good a network is.

    Deterministic in (arch, job.seed); a job that was killed and is asked for again goes on where it was.
    raises   TrainingError for one network that failed: the run goes on
    """

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """Quality on validation images, as the search sees it."""
        ...

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """Quality on the test images after the full training; called once for each network of the front."""
        ...
