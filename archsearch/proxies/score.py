"""Scores of networks: proxies by name, several of one network sharing their passes, as one number between 0 and 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from archsearch import plugins
from archsearch.errors import TrainingError
from archsearch.nn.build import Network
from archsearch.proxies.loss import OF_STEP, step

SCALE = 10.0  # of the squash: scores of e^10 lie at three quarters


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a proxy may look at."""

    images: Tensor  # float32[b, 3, s, s], normalised
    labels: Tensor  # int64[b]


def score(name: str, network: Network, batch: Batch, seed: int) -> float:
    """One proxy by its name in plug-in group "proxies"; higher is better.

    raises   PluginError for an unknown name; TrainingError where the score is not finite
    """
    return float(plugins.load("proxies", name)(network, batch.images, batch.labels, seed))


def scores(names: Sequence[str], network: Network, batch: Batch, seed: int) -> dict[str, float]:
    """Several proxies of one network, those of one step's gradients from one step; NaN where one is not finite."""
    shared = [name for name in names if name in OF_STEP]
    found = {name: math.nan for name in names}
    made = step(network, batch.images, batch.labels, maps="fisher" in shared) if shared else None
    for name in names:
        try:
            found[name] = OF_STEP[name](made) if made and name in OF_STEP else score(name, network, batch, seed)
        except TrainingError:
            continue  # this one says nothing of this network, the others may
    return found


def squash(value: float) -> float:
    """A score as a number in (0, 1) in the same order: (1 + t / (10 + |t|)) / 2 with t = sign(x) log(1 + |x|)."""
    log = math.copysign(math.log1p(abs(value)), value)
    return 0.5 + 0.5 * log / (SCALE + abs(log))
