"""A campaign with an evaluator that pretends: for processes that are killed."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from archsearch.ablate.campaign import Campaign, open_ledger
from archsearch.ablate.design import DESIGNS
from archsearch.ablate.pairs import pairs
from archsearch.cost.budget import Budget
from archsearch.errors import TrainingError
from archsearch.evaluate.base import Evaluation, Job
from archsearch.records import RunFolder
from archsearch.search.lock import FileLock
from archsearch.spec.canon import key
from archsearch.spec.space_file import read_space

SPACE = read_space("linear_vs_relu")
DESIGN = DESIGNS["linear-vs-relu"]
EPOCHS = 3
MADE = {n: pairs(SPACE, Budget(), DESIGN, n, seed=0) for n in (3, 5)}


class Pretended:
    """Some epochs, each kept in the job's folder; the result depends on network and seed."""

    def __init__(self, delay_s=0.0, fails=(), note=None):
        self.delay_s, self.fails, self.note, self.asked = delay_s, fails, note, []

    def evaluate(self, arch, job: Job) -> Evaluation:
        name = key(arch)
        self.asked.append((name, job.seed))
        if name in self.fails:
            raise TrainingError("the loss is not finite", reason="nan")
        job.folder.mkdir(parents=True, exist_ok=True)
        kept = job.folder / "epochs.json"
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

    def final(self, arch, job):
        raise NotImplementedError


class Silent:
    """A watch that shows nothing."""

    def __getattr__(self, name):
        return lambda *_: None


def campaign(folder: Path, n=5, seeds=2, seed=7) -> Campaign:
    """A campaign in a folder, begun or gone on with."""
    made = RunFolder(folder).make()
    with FileLock(made.workers / "propose.lock").held():
        ledger = open_ledger(made, MADE[n], DESIGN)
    return Campaign(space=SPACE, budget=Budget(), design=DESIGN, pairs=MADE[n], seeds=seeds, seed=seed, folder=made,
                    ledger=ledger)  # fmt: skip


def carried_out(folder: Path, evaluator, **changes) -> Campaign:
    """The same, to its end."""
    made = campaign(folder, **changes)
    made.carry_out(evaluator, Silent())
    return made


if __name__ == "__main__":
    carried_out(Path(sys.argv[1]), Pretended(float(sys.argv[2]), note=sys.argv[3] if len(sys.argv) > 3 else None))
