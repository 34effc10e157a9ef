"""Accuracies foretold from zero-cost proxies, costs and choices, as far as networks were measured; else a mean rank."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from archsearch.evaluate import predictor
from archsearch.evaluate.base import Evaluation, Evaluator, Job, Setup
from archsearch.evaluate.predictor import FEWEST, PredictorEvaluator, space_of, usable
from archsearch.evaluate.proxy import Looks
from archsearch.evaluate.training import train_evaluator
from archsearch.proxies.batch import fresh
from archsearch.proxies.costs import COUNTED, counted
from archsearch.proxies.score import scores, squash
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.lower import check_classifies
from archsearch.surrogate.domain import Floats
from archsearch.train.failure import out_of_memory_told

PROXIES = ("naswot", "fisher", "depth")  # docs/proxies.md says why these
RANKED = ("naswot", "fisher")  # whose mean rank stands in where too little was measured
REFERENCE = 32  # networks of the space among which a network is ranked


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The proxies of any network as numbers, each network's worked out once; a pure function of the network."""

    setup: Setup
    names: tuple[str, ...]
    looks: Looks
    kept: dict[str, Floats] = field(default_factory=dict)

    def __call__(self, arch: Arch) -> Floats:
        """Squashed scores float64[names]: all with first weights of the setup's seed; 0.5 where one fails.

        raises   TrainingError where memory runs out
        """
        name = key(arch)
        if name not in self.kept:
            asked = [each for each in self.names if each not in COUNTED]
            batch, seed = self.looks.batch(arch.resolution, 0), self.setup.seed
            with out_of_memory_told():
                found = scores(asked, fresh(arch, seed, self.setup.device), batch, seed)
            found |= {each: counted(each, arch) for each in self.names if each not in asked}
            values = [squash(found[each]) if found[each] == found[each] else 0.5 for each in self.names]
            self.kept[name] = np.array(values)
        return self.kept[name]


@dataclass(frozen=True, kw_only=True, eq=False)
class RankEvaluator:
    """The mean rank of a few proxies among fixed networks of the space, where too little was measured to learn."""

    setup: Setup
    seen: Seen
    reference: Floats  # of the fixed networks, float64[networks, proxies]
    labels: int  # networks that were measured
    kind: str = "ranks"  # what it notes beside a value
    clock: Callable[[], float] = time.perf_counter

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell once: these are ranks."""
        return (f"values are mean ranks of {', '.join(self.seen.names)} among {len(self.reference)} networks of the "
                f"space, not accuracies: {self.labels} networks were measured, and the ensemble learns from {FEWEST} "
                "(--from RUN)",)  # fmt: skip

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """The mean over proxies of the share of the fixed networks that it beats; top1_se over the proxies."""
        check_classifies(arch)
        began = self.clock()
        ranks = ranked(self.seen(arch), self.reference)
        job.progress(1, 1, "ensemble")
        error = float(ranks.std(ddof=1)) / len(ranks) ** 0.5
        return Evaluation(top1=float(ranks.mean()), top1_se=error, top5=float(ranks.mean()),
                          seconds=self.clock() - began,
                          extra={"ranks": dict(zip(self.seen.names, map(float, ranks), strict=True))})  # fmt: skip

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """Top-1 on the test split after the full training."""
        return train_evaluator(self.setup).final(arch, job)


def ranked(values: Floats, reference: Floats) -> Floats:
    """For each proxy the share of the reference networks that score lower, ties half: float64[proxies]."""
    return np.asarray(((reference < values) + 0.5 * (reference == values)).mean(axis=0))


def ensemble_evaluator(setup: Setup) -> Evaluator:
    """The plug-in "ensemble"; images are decoded here.

    raises   DataError without a space
    """
    space, known = space_of(setup, "ensemble"), usable(setup)
    looks = Looks(setup=setup)
    if len({key(each.arch) for each in known}) >= FEWEST:
        extra = Seen(setup=setup, names=PROXIES, looks=looks)
        _all(extra, [each.arch for each in known], "measured networks")
        return PredictorEvaluator(setup=setup, foretold=predictor.fit(space, known, extra=extra),
                                  worth=predictor.worth(space, known, extra=extra), name="ensemble")  # fmt: skip
    seen = Seen(setup=setup, names=RANKED, looks=looks)
    codes = space.sample(REFERENCE, np.random.default_rng(setup.seed))
    reference = _all(seen, [space.decode(code) for code in codes], "networks to rank among")
    return RankEvaluator(setup=setup, seen=seen, reference=reference, labels=len(known))


def _all(seen: Seen, archs: Sequence[Arch], words: str) -> Floats:
    """The proxies of some networks, float64[n, proxies], with progress."""
    found = []
    for arch in archs:
        found.append(seen(arch))
        seen.setup.progress(len(found), len(archs), words)
    return np.stack(found)
