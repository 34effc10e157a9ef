"""No training: a made-up, deterministic accuracy, to try out a search, a sampler or a page in seconds."""

import hashlib
import math
import time
from dataclasses import replace

from archsearch.cost.count import count
from archsearch.evaluate.base import Evaluation, Job, Setup
from archsearch.evaluate.learning import reached
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key


class SyntheticEvaluator:
    """Accuracy grows with log MAdds, depth and kernel, with a fixed scatter for each network; it is not real.

    delay_s  seconds to wait for each evaluation, to play a training
    epochs   of a whole training, where one that halts is played, too
    """

    def __init__(self, delay_s: float = 0.0, epochs: int | None = None) -> None:
        self._delay_s, self.epochs = delay_s, epochs

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """The made-up validation accuracy; the seed changes nothing. Where the job halts, a made-up curve's value."""
        if self._delay_s:
            time.sleep(self._delay_s)
        job.progress(1, 1, "synthetic")
        made = _evaluation(arch, "val", 0.0)
        if job.until is None or self.epochs is None or job.until >= self.epochs:
            return made
        digits, size = int(key(arch)[:8], 16), (math.log10(count(arch, ("madds",))["madds"]) - 5) / 4
        top1 = reached(made.top1, size=min(max(size, 0), 1), done=job.until, epochs=self.epochs, seed=digits)
        return replace(made, top1=top1)

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """The made-up test accuracy: a little higher, with its own scatter."""
        return _evaluation(arch, "test", 0.02)


def synthetic_evaluator(setup: Setup) -> SyntheticEvaluator:
    """The plug-in "synthetic"; it needs no images."""
    return SyntheticEvaluator(epochs=setup.recipe.epochs)


def _evaluation(arch: Arch, split: str, bonus: float) -> Evaluation:
    costs = count(arch, ("madds", "params"))
    depth = sum(stage.repeats for stage in arch.stages)
    kernels = sum(stage.kernel * stage.repeats for stage in arch.stages) / max(depth, 1)
    score = 0.35 * math.log10(costs["madds"]) + 0.1 * math.log10(costs["params"]) + 0.01 * depth + 0.02 * kernels
    scatter = int(hashlib.sha256((split + key(arch)).encode()).hexdigest()[:8], 16) / 2**32 - 0.5
    top1 = 1 / (1 + math.exp(2.4 - score - bonus)) * 0.98 + 0.01 * scatter
    top1 = min(max(top1, 0.0), 1.0)
    return Evaluation(top1=top1, top1_se=math.sqrt(top1 * (1 - top1) / 1000), top5=min(1.0, top1 + 0.2), seconds=0.0)
