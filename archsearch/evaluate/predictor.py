"""Accuracies foretold by networks that were measured before: a Gaussian process on the space's axes and costs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from archsearch.cost.budget import Budget
from archsearch.errors import DataError, SpaceError, TrainingError
from archsearch.evaluate.base import Evaluation, Evaluator, Job, Known, Setup
from archsearch.spec.arch import Arch
from archsearch.spec.space import SearchSpace
from archsearch.surrogate import belief, validate
from archsearch.surrogate.belief import Belief
from archsearch.surrogate.domain import Floats, Networks
from archsearch.surrogate.front import moments
from archsearch.surrogate.space_domain import SpaceDomain

if TYPE_CHECKING:
    from archsearch.evaluate.training import TrainEvaluator

FEWEST = 8  # different networks from which something can be learnt
SAMPLE = 300  # networks of the space that set the scales of its traits

Extra = Callable[[Arch], Floats]  # further numbers that may say something of a network's accuracy, float64[k]


@dataclass(frozen=True, kw_only=True)
class Foretold:
    """What measured networks say of the accuracy of any other network of the space."""

    space: SearchSpace
    belief: Belief
    extra: Extra | None = None

    def predict(self, archs: Sequence[Arch]) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the true accuracy of each, fractions, float64[n]; raises SpaceError."""
        return moments(*self.belief.predict(seen(self.space, archs, self.extra)), belief.accuracy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """How far predictions can be trusted: of networks that were left out of the learning."""

    labels: int
    tau: validate.Rank  # predicted against measured
    coverage: dict[float, float]  # level of an interval -> share of the measurements inside
    stretch: float  # root mean square of misses in units of their sd, at least 1: what makes intervals wide enough

    @property
    def told(self) -> str:
        """In one line."""
        inside = ", ".join(f"{100 * share:.0f} % in the {100 * level:.0f} % intervals"
                           for level, share in self.coverage.items())  # fmt: skip
        ranked = f"Kendall's tau {self.tau.value:.2f} ({self.tau.low:.2f} to {self.tau.high:.2f})"
        if self.tau.value != self.tau.value:
            ranked = "no order, all of one accuracy"
        return f"learnt from {self.labels} measured networks; cross-validated: {ranked}, {inside}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; a NaN is null."""
        ends = {end: getattr(self.tau, end) for end in ("value", "low", "high")}
        return {"labels": self.labels, "tau": {end: None if v != v else v for end, v in ends.items()},
                "coverage": {str(level): share for level, share in self.coverage.items()},
                "stretch": self.stretch}  # fmt: skip


def fit(space: SearchSpace, known: Sequence[Known], *, extra: Extra | None = None) -> Foretold:
    """A surrogate of measured networks; the same for the same ones.

    extra    what else is known of a network, beside its choices and costs
    raises   DataError with fewer than FEWEST different networks; SpaceError for one that the space has not
    """
    networks = seen(space, [each.arch for each in known], extra)
    different = len(set(networks))
    if different < FEWEST:
        raise DataError(
            f"{different} measured networks are too few to learn from: {FEWEST} are needed; --from RUN takes those of "
            "an earlier run on the same data"
        )
    top1, error = (np.array([getattr(each, name) for each in known], dtype=float) for name in ("top1", "top1_se"))
    return Foretold(space=space, belief=_learn(space, networks, top1, error, sampled=extra is None), extra=extra)


def worth(space: SearchSpace, known: Sequence[Known], *, extra: Extra | None = None) -> Worth:
    """Cross-validated rank correlation and coverage of `fit` on these networks; raises what it raises."""
    networks = seen(space, [each.arch for each in known], extra)
    top1, error = (np.array([getattr(each, name) for each in known], dtype=float) for name in ("top1", "top1_se"))
    rng = np.random.default_rng(0)

    def learn(some: Networks, some_top1: Floats, some_error: Floats) -> Belief:
        return _learn(space, some, some_top1, some_error, sampled=extra is None)

    mean, _, spread = validate.crossed(networks, top1, error, learn=learn, rng=rng)
    miss = belief.target(top1) - mean
    return Worth(labels=len(networks), tau=validate.kendall(mean, top1, rng=rng),
                 coverage=validate.coverage(miss, spread),
                 stretch=max(1.0, float(np.sqrt(np.mean((miss / spread) ** 2)))))  # fmt: skip


def seen(space: SearchSpace, archs: Sequence[Arch], extra: Extra | None = None) -> Networks:
    """Networks as the surrogate sees them: choices, logarithms of costs, and whatever `extra` says.

    raises   SpaceError for a network that the space has not
    """
    codes = np.array([space.encode(arch) for arch in archs], dtype=np.int64).reshape(len(archs), len(space.axes))
    networks = SpaceDomain(space=space, budget=Budget(), minimize=()).look(codes)
    if extra is None or not len(archs):
        return networks
    more = np.stack([extra(arch) for arch in archs])
    return replace(networks, traits=np.concatenate([networks.traits, more], axis=1))


def _learn(space: SearchSpace, networks: Networks, top1: Floats, error: Floats, *, sampled: bool) -> Belief:
    """The surrogate; scales are set by networks of the whole space where they cost nothing to look at."""
    sample = None
    if sampled:
        codes = space.sample(SAMPLE, np.random.default_rng(0))
        sample = SpaceDomain(space=space, budget=Budget(), minimize=()).look(codes)
    return belief.learn(networks, space.axes, top1, error, sample=sample)


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictorEvaluator:
    """Foretells top-1 from networks that were measured before; nothing is trained before the finalists."""

    setup: Setup
    foretold: Foretold
    worth: Worth
    name: str = "predictor"
    kind: str = "predicted"  # what it notes beside a value
    clock: Callable[[], float] = time.perf_counter

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell once: how these values come about, and how far to trust them."""
        return (f"values are predicted accuracies, not measured ones: {self.worth.told}",)

    def evaluate(self, arch: Arch, job: Job) -> Evaluation:
        """The predicted top-1; top1_se is the posterior's deviation, stretched where unseen labels missed by more.

        top5 is top1: nothing is known of it.

        raises   TrainingError for a network that the space has not
        """
        began = self.clock()
        try:
            mean, sd = self.foretold.predict([arch])
        except SpaceError as told:
            raise TrainingError(str(told), reason="not in the space") from None
        job.progress(1, 1, self.name)
        top1, error = float(mean[0]), min(1.0, float(sd[0]) * self.worth.stretch)
        return Evaluation(top1=top1, top1_se=error, top5=top1, seconds=self.clock() - began,
                          extra={"predicted": self.worth.to_dict()})  # fmt: skip

    def final(self, arch: Arch, job: Job) -> Evaluation:
        """Top-1 on the test split after the full training."""
        return self._trained.final(arch, job)

    @cached_property
    def _trained(self) -> "TrainEvaluator":
        from archsearch.evaluate.training import train_evaluator

        return train_evaluator(self.setup)


def predictor_evaluator(setup: Setup) -> Evaluator:
    """The plug-in "predictor"; it looks at no images before the finalists are trained.

    raises   DataError without a space, or with too few measured networks
    """
    space, known = space_of(setup, "predictor"), usable(setup)
    return PredictorEvaluator(setup=setup, foretold=fit(space, known), worth=worth(space, known))


def space_of(setup: Setup, name: str) -> SearchSpace:
    """The run's space; raises DataError without one."""
    if setup.space is None:
        raise DataError(f"evaluator {name!r} needs to know the design space")
    return setup.space


def usable(setup: Setup) -> list[Known]:
    """The measured networks that the run's space has."""
    assert setup.space is not None
    return [each for each in setup.known() if setup.space.contains(each.arch) is None]
