"""Sub-networks judged by inference: inherited weights, batch norm measured anew, right guesses counted."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from archsearch.data.batches import Batches
from archsearch.data.dataset import Dataset, Split
from archsearch.errors import RunError, SpaceError, TrainingError
from archsearch.evaluate.base import Evaluation, Job, Setup
from archsearch.evaluate.training import TrainEvaluator
from archsearch.spec.arch import Arch
from archsearch.spec.fields import Chosen
from archsearch.spec.space import SearchSpace
from archsearch.train import supernet_folder
from archsearch.train.job import TrainData
from archsearch.train.norms import recalibrate
from archsearch.train.precision import autocast
from archsearch.train.score import score
from archsearch.train.supernet import StepLog, Supernet
from archsearch.train.supernet_recipe import SupernetRecipe

NORM_IMAGES = 512  # training images, as they are, for batch-norm statistics
JUDGED = 1000  # validation images, always the same; all of them where there are fewer
BATCH = 256
FOLDER = "supernet"
Loaded = list[tuple[Tensor, Tensor]]  # batches of images and labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a supernet says of one of its networks."""

    top1: float  # fraction of `images`
    top5: float
    images: int
    loss: float  # mean cross entropy: after a short training it orders networks better than counted hits

    @property
    def top1_se(self) -> float:
        """The binomial standard error of `top1`, never below half an image."""
        return max(math.sqrt(self.top1 * (1 - self.top1) / self.images), 0.5 / self.images)


@dataclass(frozen=True, kw_only=True, eq=False)
class Judge:
    """Says how good a sub-network is with the supernet's weights."""

    dataset: Dataset
    supernet: Supernet
    device: str = "cpu"
    images: int = JUDGED  # of the validation split; 0 = all
    norm_images: int = NORM_IMAGES
    _ready: dict[int, tuple[Loaded, Loaded]] = field(default_factory=dict, init=False)

    def score(self, arch: Arch) -> Judged:
        """Top-1, top-5 and loss on the fixed validation images; the same bits each time on a CPU.

        raises   SpaceError where the network is not in the supernet's space; TrainingError (reason "nan")
        """
        model = self.supernet.weights.network(arch).to(device=self.device, memory_format=torch.channels_last)
        context = autocast(self.supernet.recipe.base, self.device)
        known, judged = self._batches(arch.resolution)
        recalibrate(model, known, self.norm_images, context)
        answers: list[Tensor] = []
        model.register_forward_hook(lambda module, images, logits: answers.append(logits.float()))
        found = score(model, judged, context)
        loss = functional.cross_entropy(torch.cat(answers), torch.cat([labels for _, labels in judged]))
        return Judged(top1=found.top1, top5=found.top5, images=found.images, loss=loss.item())

    def _batches(self, size: int) -> tuple[Loaded, Loaded]:
        """Images for the statistics and for the answers, made once for each resolution."""
        if size not in self._ready:
            self._ready[size] = (
                self._made("train", self.norm_images, BATCH // 2, size),
                self._made("val", self.images, BATCH, size),
            )
        return self._ready[size]

    def _made(self, split: str, images: int, batch: int, size: int) -> Loaded:
        whole: Split = self.dataset.splits[split]
        least = len(self.dataset.classes)
        part = whole if images == 0 else self.dataset.subset(min(max(images, least), len(whole)), split=split)
        batches = Batches(part, batch=min(batch, len(part)), size=size, device=self.device, mean=self.dataset.mean,
                          std=self.dataset.std, channels_last=True)  # fmt: skip
        return list(batches.epoch(0))


@dataclass(frozen=True, kw_only=True, eq=False)
class SupernetEvaluator:
    """Judges by a supernet, which is trained, or loaded, when a network is first asked for.

    A finalist inherits its weights and is trained on from them with the full recipe.
    """

    dataset: Dataset
    folder: Path | None
    plan: Callable[[], supernet_folder.Plan] | None  # None: the folder's supernet must be finished
    trainer: TrainEvaluator  # of the finalists, beginning with nothing of its own
    device: str = "cpu"
    _made: list[Judge] = field(default_factory=list, init=False)  # the judge, once there is one

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """Top-1 on validation images, by inference alone; `seconds` are those of the judging.

        raises   TrainingError for a network that is not in the supernet's space, or whose answers are no numbers
        """
        judge = self._judge(job)
        began = time.monotonic()
        try:
            found = judge.score(arch)
        except SpaceError as error:
            raise TrainingError(str(error), reason="not in the supernet") from None
        extra = {"images": found.images, "loss": found.loss, "supernet_seconds": judge.supernet.core_s}
        return Evaluation(top1=found.top1, top1_se=found.top1_se, top5=found.top5,
                          seconds=time.monotonic() - began, extra=extra)  # fmt: skip

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """Top-1 on the test split, trained on from the inherited weights with the full recipe."""
        return begun(self.trainer, self._judge(job).supernet).final(arch, job)

    def _judge(self, job: Job) -> Judge:
        if not self._made:
            supernet = self._supernet(job)
            check_classes(supernet, self.dataset)
            self._made.append(Judge(dataset=self.dataset, supernet=supernet, device=self.device))
        return self._made[0]

    def _supernet(self, job: Job) -> Supernet:
        if self.plan is None:
            assert self.folder is not None
            return supernet_folder.loaded(self.folder, device=self.device)

        def told(log: StepLog) -> None:
            job.progress(log.step, log.steps, f"supernet, loss {log.loss:.3f}, about {lasting(log.left_s)} left")

        folder = self.folder or job.folder / FOLDER
        return supernet_folder.trained(folder, self.plan(), device=self.device, on_step=told)


def supernet_evaluator(setup: Setup) -> SupernetEvaluator:
    """The plug-in "supernet": a folder that is named, else one in the run's own.

    raises   RunError where there is neither a supernet nor a space to train one for, or it learnt other images
    """
    told = None if setup.supernet is None else supernet_folder.about(setup.supernet)
    if told is None and setup.space is None:
        raise RunError("evaluator supernet needs a design space; give --space or --supernet DIR")
    dataset, space = setup.dataset(), setup.space
    if told is not None and told["fingerprint"] != dataset.fingerprint:
        raise RunError(f"the supernet in {setup.supernet} was trained on other images ({told.get('data')}): what it "
                       f"says of {dataset.name} means nothing")  # fmt: skip
    recipe = SupernetRecipe()
    trainer = TrainEvaluator(dataset=dataset, recipe=setup.recipe, final_recipe=setup.final_recipe,
                             images=setup.images, device=setup.device)  # fmt: skip

    def plan() -> supernet_folder.Plan:
        assert space is not None
        return planned(space, dataset, recipe, seed=setup.seed)

    own = setup.folder / FOLDER if setup.folder is not None else None
    return SupernetEvaluator(dataset=dataset, folder=setup.supernet or own, device=setup.device, trainer=trainer,
                             plan=None if setup.supernet is not None else plan)  # fmt: skip


def planned(
    space: SearchSpace, dataset: Dataset, recipe: SupernetRecipe, *, seed: int = 0, **more: object
) -> supernet_folder.Plan:
    """A supernet of a space on the training images of a data set; validation and test images stay unseen."""
    images = min(recipe.images or len(dataset.splits["train"]), len(dataset.splits["train"]))
    data = TrainData(train=dataset.subset(images), eval=dataset.splits["val"], mean=dataset.mean, std=dataset.std,
                     flip=dataset.flip, fingerprint=dataset.fingerprint)  # fmt: skip
    size = max(space.resolution.values) if isinstance(space.resolution, Chosen) else int(space.resolution.value)
    return supernet_folder.Plan(space=space, data=data, recipe=recipe, size=size, seed=seed, source=dataset.name,
                                **more)  # type: ignore[arg-type]  # fmt: skip


def begun(trainer: TrainEvaluator, supernet: Supernet) -> TrainEvaluator:
    """The same trainer, its networks beginning with the weights that they inherit."""
    return replace(trainer, initial=supernet.weights.network)


def check_classes(supernet: Supernet, dataset: Dataset) -> None:
    """Raise RunError where a supernet tells apart another number of classes than a data set has."""
    theirs, ours = supernet.weights.space.head.classes, len(dataset.classes)
    if theirs != ours:
        raise RunError(f"the supernet tells {theirs} classes apart, {dataset.name} has {ours}")


def lasting(seconds: float) -> str:
    """A duration for people: `40 s`, `52 min`, `3.1 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
