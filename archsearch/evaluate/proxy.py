"""No training: networks are ranked by a zero-cost proxy. What it gives is a score in the place of an accuracy."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from archsearch import plugins
from archsearch.errors import TrainingError
from archsearch.evaluate.base import Evaluation, Job, Setup
from archsearch.evaluate.training import TrainEvaluator, train_evaluator
from archsearch.proxies.batch import IMAGES, drawn, fresh
from archsearch.proxies.costs import COUNTED, counted
from archsearch.proxies.score import Batch, score, squash
from archsearch.spec.arch import Arch
from archsearch.spec.lower import check_classifies
from archsearch.train.failure import out_of_memory_told

REPEATS = 3  # first weights and batches over which a score is averaged


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Batches of a data set at any size, the same for every network; each is drawn once."""

    setup: Setup
    images: int = IMAGES
    kept: dict[tuple[int, int], Batch] = field(default_factory=dict)

    def batch(self, size: int, number: int) -> Batch:
        """Batch `number` at this size [pixels]."""
        if (size, number) not in self.kept:
            images, labels = drawn(self.setup.dataset(), self.images, size=size, seed=self.setup.seed + number,
                                   device=self.setup.device)  # fmt: skip
            self.kept[size, number] = Batch(images=images, labels=labels)
        return self.kept[size, number]


@dataclass(frozen=True, kw_only=True, eq=False)
class ProxyEvaluator:
    """A proxy's mean score over a few first weights and batches, squashed into (0, 1) in the same order.

    `final` trains and tests like evaluator "train": test accuracies are real.
    """

    name: str
    setup: Setup
    looks: Looks
    repeats: int = REPEATS
    clock: Callable[[], float] = time.perf_counter

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell once: these are no accuracies."""
        return (f"values are scores of the proxy {self.name}, not accuracies: their order is all they say; "
                "nothing is trained before the finalists",)  # fmt: skip

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """The squashed score, with its standard error over the repeats.

        The batches are the same for all networks; first weights are the job's own. top5 is top1: a proxy knows neither.
        raises   TrainingError: nan, out of memory, time limit
        """
        check_classifies(arch)
        began = self.clock()
        if self.name in COUNTED:
            found = [counted(self.name, arch)]
            job.progress(1, 1, self.name)
        else:
            found = self._found(arch, job, began)
        top1 = squash(float(np.mean(found)))
        error = float(np.std([squash(each) for each in found], ddof=1)) if len(found) > 1 else 0.0
        spread = float(np.std(found, ddof=1)) if len(found) > 1 else 0.0
        root = math.sqrt(len(found))
        return Evaluation(top1=top1, top1_se=error / root, top5=top1, seconds=self.clock() - began,
                          extra={"proxy": self.name, "score": float(np.mean(found)),
                                 "score_se": spread / root})  # fmt: skip

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """Top-1 on the test split after the full training."""
        return self._trained.final(arch, job)

    @cached_property
    def _trained(self) -> TrainEvaluator:
        return train_evaluator(self.setup)

    def _found(self, arch: Arch, job: Job, began: float) -> list[float]:
        """The score with each of the repeats' weights and batches."""
        found = []
        for repeat in range(self.repeats):
            job.progress(repeat, self.repeats, self.name)
            batch, seed = self.looks.batch(arch.resolution, repeat), weight_seed(job.seed, repeat)
            with out_of_memory_told():
                found.append(score(self.name, fresh(arch, seed, self.setup.device), batch, seed))
            if job.time_limit_s is not None and self.clock() - began > job.time_limit_s:
                raise TrainingError(f"over its time limit of {job.time_limit_s:g} s", reason="time limit")
        job.progress(self.repeats, self.repeats, self.name)
        return found


def weight_seed(seed: int, repeat: int) -> int:
    """The seed of the first weights of a repeat."""
    return int(np.random.SeedSequence((seed, repeat)).generate_state(1)[0])


def proxy_evaluator(name: str, setup: Setup) -> ProxyEvaluator:
    """The plug-in of one proxy; images are decoded here where it looks at any.

    raises   PluginError for an unknown proxy
    """
    plugins.load("proxies", name)
    if name not in COUNTED:
        setup.dataset()
    return ProxyEvaluator(name=name, setup=setup, looks=Looks(setup=setup))


SYNFLOW, NASWOT, GRAD_NORM, SNIP, FISHER, JACOV, ZEN, ZICO, PARAMS, MADDS, DEPTH = (
    partial(proxy_evaluator, name)
    for name in ("synflow", "naswot", "grad_norm", "snip", "fisher", "jacov", "zen", "zico", *COUNTED)
)
