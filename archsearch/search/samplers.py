"""Optuna's samplers behind one interface: made anew for each trial from its own seed, fed from the mirror study.

A factory takes a `SamplerSetup` and gives an Optuna sampler. They never see an over-budget network as a good one (its
constraint is broken), and `propose.py` never lets one train.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIIISampler, NSGAIISampler, TPESampler

from archsearch.spec.fields import Axis
from archsearch.surrogate.domain import Domain

POPULATION = 20  # Optuna's default of 50 needs twice the trials on NAS-Bench-Macro
FIRST = 10  # random trials before a model takes over


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerSetup:
    """What a sampler may know when it is made, which is for each trial anew; a plug-in is `SamplerSetup -> sampler`."""

    seed: int  # of the run
    number: int  # of the trial
    domain: Domain  # what may be proposed: its axes, exact costs, networks that fit
    distributions: Mapping[str, BaseDistribution]  # one an axis
    ladder: tuple[float, ...] = ()  # rungs of the first metric minimised, rising: the best within each is wanted
    repeats: bool = False  # whether a network may be trained again; a sampler marks such a trial with records.AGAIN
    memory: dict[str, Any] = field(default_factory=dict)  # lasts while the process does; only to save time

    @property
    def trial_seed(self) -> int:
        """A seed for this trial alone."""
        return int(np.random.SeedSequence([self.seed, self.number]).generate_state(1)[0])


def nsga2(setup: SamplerSetup) -> BaseSampler:
    """NSGA-II (Deb et al. 2002, doi:10.1109/4235.996017)."""
    return NSGAIISampler(population_size=POPULATION, seed=setup.trial_seed)


def nsga3(setup: SamplerSetup) -> BaseSampler:
    """NSGA-III (Deb and Jain 2014, doi:10.1109/TEVC.2013.2281535)."""
    return _quiet(NSGAIIISampler, population_size=POPULATION, seed=setup.trial_seed)


def tpe(setup: SamplerSetup) -> BaseSampler:
    """Multivariate TPE (arXiv:2304.11127); Optuna's default, the independent one, stalls with two objectives."""
    return _quiet(TPESampler, multivariate=True, n_startup_trials=FIRST, seed=setup.trial_seed)


def gp(setup: SamplerSetup) -> BaseSampler:
    """Gaussian process with expected hypervolume improvement and constraints."""
    return _quiet(GPSampler, n_startup_trials=FIRST, seed=setup.trial_seed)


def distribution(axis: Axis) -> BaseDistribution:
    """An axis as Optuna sees it: evenly spaced whole numbers keep their order, all else is categorical."""
    values = axis.values
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values) and len(values) > 1:
        steps = {b - a for a, b in zip(values, values[1:], strict=False)}
        if len(steps) == 1 and min(steps) > 0:
            return IntDistribution(values[0], values[-1], step=steps.pop())
    return CategoricalDistribution(values)


def distributions(axes: Sequence[Axis]) -> dict[str, BaseDistribution]:
    """Axis name -> distribution."""
    return {axis.name: distribution(axis) for axis in axes}


def _quiet(make: Any, **options: Any) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler: BaseSampler = make(**options)
        return sampler
