"""No training: accuracies from a made-up landscape, on any design space, with the scatter of real trainings."""

from dataclasses import dataclass, replace

import numpy as np

from archsearch.errors import DataError, SpaceError, TrainingError
from archsearch.evaluate.base import Evaluation, Job, Setup
from archsearch.evaluate.landscapes import NOISE, Landscape, landscape
from archsearch.evaluate.learning import reached
from archsearch.spec.arch import Arch
from archsearch.spec.space import SearchSpace


@dataclass(frozen=True, kw_only=True, eq=False)
class ImaginedEvaluator:
    """A landscape's truth plus noise, the same for the same network and seed; `final` tells the truth."""

    landscape: Landscape
    space: SearchSpace
    epochs: int | None = None  # of a whole training; one that halts has a made-up curve's value

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """The made-up accuracy of one training; raises TrainingError for a network outside the space."""
        noise = NOISE * np.random.default_rng(job.seed).standard_normal()
        job.progress(1, 1, "made up")
        told = self._told(arch, float(noise), NOISE)
        if job.until is None or self.epochs is None or job.until >= self.epochs:
            return told
        top1 = reached(told.top1, size=0.5, done=job.until, epochs=self.epochs, seed=job.seed)
        return replace(told, top1=top1, top5=top1)

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """The landscape's own value, which has no error."""
        return self._told(arch, 0.0, 0.0)

    def _told(self, arch: Arch, noise: float, error: float) -> Evaluation:
        try:
            code = self.space.encode(arch)
        except SpaceError as told:
            raise TrainingError(str(told), reason="not in the space") from None
        top1 = min(max(float(self.landscape(code[None])[0]) + noise, 0.0), 1.0)
        return Evaluation(top1=top1, top1_se=error, top5=top1, seconds=0.0)


def additive_evaluator(setup: Setup) -> ImaginedEvaluator:
    """The plug-in "additive": that family's member 0 on the run's space."""
    return _made("additive", setup)


def deceptive_evaluator(setup: Setup) -> ImaginedEvaluator:
    """The plug-in "deceptive": that family's member 0 on the run's space."""
    return _made("deceptive", setup)


def _made(name: str, setup: Setup) -> ImaginedEvaluator:
    if setup.space is None:
        raise DataError(f"evaluator {name!r} needs to know the design space")
    return ImaginedEvaluator(landscape=landscape(name, setup.space), space=setup.space,
                             epochs=setup.recipe.epochs)  # fmt: skip
