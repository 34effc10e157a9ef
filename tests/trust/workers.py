"""A truth made by an evaluator that pretends: for processes that are killed."""

import sys
import time
from pathlib import Path

from archsearch.cost.budget import Budget
from archsearch.spec.space_file import read_space
from archsearch.trust.sample import stratified
from archsearch.trust.store import Claims
from archsearch.trust.truth import Maker, make
from tests.pretended import Pretended

SPACE = read_space("nas_bench_macro")


def networks(n=6):
    return stratified(SPACE, Budget(), n, seed=0)


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
