"""An evaluator that pretends to train: for studies whose processes are killed."""

import json
import time

import numpy as np

from archsearch.errors import CheckpointError, TrainingError
from archsearch.evaluate.base import Evaluation, Job
from archsearch.spec.canon import key

EPOCHS = 3


class Pretended:
    """Some epochs, each kept in the job's folder; the result depends on network, seed and the epochs' own values."""

    def __init__(self, delay_s=0.0, fails=(), note=None):
        self.delay_s, self.fails, self.note = delay_s, fails, note
        self.asked = []

    def evaluate(self, arch, job: Job) -> Evaluation:
        name = key(arch)
        self.asked.append((name, job.number))
        if name in self.fails:
            raise TrainingError("the loss is not finite", reason="nan")
        job.folder.mkdir(parents=True, exist_ok=True)
        kept = job.folder / "epochs.json"
        if kept.exists() and kept.read_text() == "damaged":
            raise CheckpointError(f"{kept} is damaged")
        done = json.loads(kept.read_text()) if kept.exists() else []
        for epoch in range(len(done), EPOCHS):
            time.sleep(self.delay_s)
            done.append(float(np.random.default_rng([job.seed, int(name, 16), epoch]).random()))
            fresh = kept.with_suffix(".new")
            fresh.write_text(json.dumps(done))
            fresh.replace(kept)
            job.progress(epoch + 1, EPOCHS, "")
        if self.note:
            with open(self.note, "a") as file:
                file.write(f"{name}-{job.seed}\n")
        return Evaluation(top1=sum(done) / EPOCHS, top1_se=0.01, top5=1.0, seconds=0.0)

    def final(self, arch, job: Job) -> Evaluation:
        raise AssertionError("these studies have no finals")
