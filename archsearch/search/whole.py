"""Samplers that propose whole networks, all axes at once."""

from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from archsearch.search.history import values_of
from archsearch.search.samplers import SamplerSetup
from archsearch.spec.fields import Codes


class Exhausted(Exception):
    """Every network that fits has been tried, as far as sampling can find."""


class WholeSampler(BaseSampler):
    """An Optuna sampler that says with `proposal` which network is next; the rest is how Optuna is told."""

    def __init__(self, setup: SamplerSetup) -> None:
        self._setup = setup

    def proposal(self, study: Study, trial: FrozenTrial) -> Codes | None:
        """The code of the next network, int64[axes]; None where there is no more."""
        raise NotImplementedError

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All axes, together."""
        return dict(self._setup.distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The values of the next network; raises Exhausted where there is no more."""
        code = self.proposal(study, trial)
        if code is None:
            raise Exhausted
        return values_of(self._setup.domain.axes, code)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Never needed: every axis is drawn together."""
        raise AssertionError(f"axis {param_name} was asked for alone")
