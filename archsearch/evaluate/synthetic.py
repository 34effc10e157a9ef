"""No training: a made-up, deterministic accuracy, to try out a search, a sampler or a page in seconds."""

import hashlib
import math
import time

from archsearch.cost.count import count
from archsearch.evaluate.base import Evaluation, Job, Setup
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key


class SyntheticEvaluator:
    """Accuracy grows with log MAdds, depth and kernel, with a fixed scatter for each network; it is not real.

    delay_s  seconds to wait for each evaluation, to play a training
    """

    def __init__(self, delay_s: float = 0.0) -> None:
        self._delay_s = delay_s

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """The made-up validation accuracy; the seed changes nothing."""
        if self._delay_s:
            time.sleep(self._delay_s)
        job.progress(1, 1, "synthetic")
        return _evaluation(arch, "val", 0.0)

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """The made-up test accuracy: a little higher, with its own scatter."""
        return _evaluation(arch, "test", 0.02)


def synthetic_evaluator(setup: Setup) -> SyntheticEvaluator:
    """The plug-in "synthetic"; it needs no images."""
    return SyntheticEvaluator()


def _evaluation(arch: Arch, split: str, bonus: float) -> Evaluation:
    costs = count(arch, ("madds", "params"))
    depth = sum(stage.repeats for stage in arch.stages)
    kernels = sum(stage.kernel * stage.repeats for stage in arch.stages) / max(depth, 1)
    score = 0.35 * math.log10(costs["madds"]) + 0.1 * math.log10(costs["params"]) + 0.01 * depth + 0.02 * kernels
    scatter = int(hashlib.sha256((split + key(arch)).encode()).hexdigest()[:8], 16) / 2**32 - 0.5
    top1 = 1 / (1 + math.exp(2.4 - score - bonus)) * 0.98 + 0.01 * scatter
    top1 = min(max(top1, 0.0), 1.0)
    return Evaluation(top1=top1, top1_se=math.sqrt(top1 * (1 - top1) / 1000), top5=min(1.0, top1 + 0.2), seconds=0.0)
