"""A campaign with an evaluator that pretends: for processes that are killed."""

import sys
from pathlib import Path

from archsearch.ablate.campaign import Campaign, open_ledger
from archsearch.ablate.design import DESIGNS
from archsearch.ablate.pairs import pairs
from archsearch.cost.budget import Budget
from archsearch.records import RunFolder
from archsearch.search.lock import FileLock
from archsearch.spec.space_file import read_space
from tests.pretended import Pretended

SPACE = read_space("linear_vs_relu")
DESIGN = DESIGNS["linear-vs-relu"]
MADE = {n: pairs(SPACE, Budget(), DESIGN, n, seed=0) for n in (3, 5)}


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
