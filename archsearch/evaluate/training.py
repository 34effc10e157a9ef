"""The honest evaluator: train the network, count what it gets right."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from archsearch.data.dataset import Dataset, Split
from archsearch.evaluate.base import Evaluation, Job, Setup
from archsearch.nn.build import Network, build
from archsearch.spec.arch import Arch
from archsearch.spec.lower import check_classifies
from archsearch.train import checkpoint
from archsearch.train.job import EpochLog, TrainData, TrainResult, TrainRun
from archsearch.train.loop import train
from archsearch.train.pretrained import source
from archsearch.train.recipe import Recipe
from archsearch.train.seed import seeded


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainEvaluator:
    """Trains from first weights: a trial on part of the training images, a finalist on training and validation images.

    The search sees validation accuracy only; the test split is read by `final` alone.
    """

    dataset: Dataset
    recipe: Recipe  # of a trial
    final_recipe: Recipe
    images: int  # training images of a trial
    device: str = "cpu"
    initial: Callable[[Arch], Network] | None = None  # a network with its first weights; None: freshly initialised

    @property
    def epochs(self) -> int:
        """Of a whole trial; `Job.until` may halt it before."""
        return self.recipe.epochs

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """Top-1 on the validation split after the last epoch, or after the one at which the job halts.

        raises   TrainingError: nan, out of memory, time limit
        """
        part = self.dataset.subset(min(self.images, len(self.dataset.splits["train"])))
        result = self._train(arch, self.recipe, self._data(part, "val"), job)
        return evaluation(result)

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """Top-1 on the test split after the full recipe; the weights stay in the job's folder as model.pt."""
        result = self._train(arch, self.final_recipe, self._data(self.dataset.trainval(), "test"), job)
        return evaluation(result)

    def _data(self, part: Split, judge: str) -> TrainData:
        data = self.dataset
        return TrainData(train=part, eval=data.splits[judge], mean=data.mean, std=data.std, flip=data.flip,
                         fingerprint=data.fingerprint)  # fmt: skip

    def _train(self, arch: Arch, recipe: Recipe, data: TrainData, job: Job) -> TrainResult:
        check_classifies(arch)
        with seeded(job.seed):
            model = build(arch) if self.initial is None else self.initial(arch)  # dropout is the training's
        run = TrainRun(folder=job.folder, device=self.device, seed=job.seed, size=arch.resolution,
                       time_limit_s=job.time_limit_s, until=job.until)  # fmt: skip

        def told(log: EpochLog) -> None:
            job.progress(log.epoch, log.epochs, f"loss {log.train_loss:.3f}")

        job.progress(0, recipe.epochs, "")
        result = train(model, data, recipe, run=run, on_epoch=told)
        if data.eval is self.dataset.splits["test"]:
            weights = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
            checkpoint.save(job.folder / "model.pt", {"arch": arch.to_dict(), "state_dict": weights})
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        return result


def train_evaluator(setup: Setup) -> TrainEvaluator:
    """The plug-in "train"."""
    return TrainEvaluator(dataset=setup.dataset(), recipe=setup.recipe, final_recipe=setup.final_recipe,
                          images=setup.images, device=setup.device,
                          initial=None if setup.init is None else source(setup.init).network)  # fmt: skip


def evaluation(result: TrainResult) -> Evaluation:
    """A training's result with the binomial standard error of its top-1, never below half an image."""
    error = max(math.sqrt(result.top1 * (1 - result.top1) / result.images), 0.5 / result.images)
    return Evaluation(top1=result.top1, top5=result.top5, top1_se=error, seconds=result.seconds,
                      extra={"epochs": result.epochs, "images": result.images})  # fmt: skip
