"""A truth made by an evaluator that pretends: for processes that are killed."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.errors import CheckpointError, TrainingError
from archsearch.evaluate.base import Evaluation, Job
from archsearch.spec.canon import key
from archsearch.spec.space_file import read_space
from archsearch.trust.sample import stratified
from archsearch.trust.store import Claims
from archsearch.trust.truth import Maker, make

EPOCHS = 3
SPACE = read_space("nas_bench_macro")


def networks(n=6):
    return stratified(SPACE, Budget(), n, seed=0)


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
            done.append(float(np.random.default_rng([job.seed, epoch]).random()))
            fresh = kept.with_suffix(".new")
            fresh.write_text(json.dumps(done))
            fresh.replace(kept)
            job.progress(epoch + 1, EPOCHS, "")
        if self.note:
            with open(self.note, "a") as file:
                file.write(f"{name}-{job.number}\n")
        return Evaluation(top1=sum(done) / EPOCHS, top1_se=0.01, top5=1.0, seconds=0.0)


def made(folder: Path, evaluator, *, n=6, seeds=2, progress=lambda *_: None):
    folder.mkdir(parents=True, exist_ok=True)
    claims = Claims(folder / "claims")
    maker = Maker(evaluator=evaluator, folder=folder, claims=claims, seed=5, clock=time.process_time,
                  wait=lambda: time.sleep(0.01))  # fmt: skip
    try:
        make(networks(n), seeds, maker, progress)
    finally:
        claims.close()


if __name__ == "__main__":
    made(Path(sys.argv[1]), Pretended(float(sys.argv[2]), note=sys.argv[3] if len(sys.argv) > 3 else None))
