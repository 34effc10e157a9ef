"""What an evaluator is: a network in, named quantities with their standard error out."""

from collections.abc import Callable, Sequence
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
    until: int | None = None  # epochs to stop after; asked again with more it goes on; None = to the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What came out; accuracies are fractions."""

    top1: float
    top1_se: float  # standard error of top1
    top5: float
    seconds: float
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A network whose accuracy was measured before: what evaluators that learn are shown."""

    arch: Arch
    top1: float  # fraction of the validation images
    top1_se: float  # its standard error


def _nothing() -> Sequence[Known]:
    """No network is known."""
    return ()


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
    seed: int = 0  # of what is made once for all networks; a network's own is the job's
    folder: Path | None = None  # of the run: what is made once for all its networks lies there; None keeps nothing
    known: Callable[[], Sequence[Known]] = _nothing  # measured accuracies, for evaluators that learn; read when called
    progress: Progress = _silent  # of what is made once, before the first evaluation
    supernet: Path | None = None  # folder of a trained supernet; None: the run's own
    init: str | None = None  # where first weights come from: "torchvision", or a file; None = fresh ones


class Evaluator(Protocol):
    """Says how good a network is.

    Deterministic in (arch, job.seed); a job that was killed and is asked for again goes on where it was.
    One that can halt (`Job.until`) has an attribute `epochs`, those of a whole training; without it, or with None, it
    takes no part in runs with rungs.
    raises   TrainingError for one network that failed: the run goes on
    """

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """Quality on validation images, as the search sees it."""
        ...

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """Quality on the test images after the full training; called once for each network of the front."""
        ...
