"""How well one list of latencies tells another: errors, ranks, and ranks among networks of nearly equal MAdds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

Floats = NDArray[np.float64]
BAND = 0.15  # of MAdds: networks that differ by no more are compared
SHARES = (0.05, 0.10, 0.15)
RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well a predictor, or a second measurement, tells what was measured."""

    name: str
    error: float  # mean relative error
    within: tuple[float, ...]  # share of networks within 5, 10, 15 %
    tau: float  # Kendall's
    band_tau: float  # of pairs within a band of MAdds; NaN without such pairs
    worst: float  # largest relative error

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what is not known is None."""
        plain = asdict(self) | {"within": dict(zip(("5%", "10%", "15%"), self.within, strict=True))}
        return {name: None if isinstance(v, float) and np.isnan(v) else v for name, v in plain.items()}


def score(name: str, told: Floats, measured: Floats, madds: Floats) -> Score:
    """Judge what was told of n networks by what was measured [ms]; madds float[n] makes the bands."""
    error = np.abs(told / measured - 1)
    return Score(
        name=name, error=float(error.mean()), within=tuple(float((error <= share).mean()) for share in SHARES),
        tau=float(kendalltau(told, measured).statistic), worst=float(error.max()),
        band_tau=band_tau(told, measured, madds),
    )  # fmt: skip


def band_tau(told: Floats, measured: Floats, madds: Floats) -> float:
    """Kendall's tau-a of pairs of networks whose MAdds differ by at most 15 %; ties in `told` count half; else NaN.

    So it is the share of such pairs that are ranked rightly minus the share ranked wrongly.
    """
    left, right = pairs(madds)
    if not len(left):
        return float("nan")
    signs = np.sign(told[left] - told[right]) * np.sign(measured[left] - measured[right])
    return float(signs.mean())


def pairs(madds: Floats, band: float = BAND) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of networks whose MAdds differ by at most `band` of the smaller one."""
    left, right = np.triu_indices(len(madds), k=1)
    low, high = np.minimum(madds[left], madds[right]), np.maximum(madds[left], madds[right])
    near = high <= low * (1 + band)
    return left[near], right[near]


def band_gain(
    told: Floats, other: Floats, measured: Floats, madds: Floats, *, seed: int = 0
) -> tuple[float, float, float]:
    """By how much `told` ranks better than `other` within bands of MAdds: difference of `band_tau`, 95 % interval.

    The interval is a bootstrap over networks, not over pairs: pairs that share a network are not independent.
    """
    left, right = pairs(madds)
    if not len(left):
        return float("nan"), float("nan"), float("nan")
    truth = np.sign(measured[left] - measured[right])
    gain = truth * (np.sign(told[left] - told[right]) - np.sign(other[left] - other[right]))
    counts = np.random.default_rng(seed).multinomial(
        len(madds), np.full(len(madds), 1 / len(madds)), size=RESAMPLES)  # fmt: skip
    weight = counts[:, left] * counts[:, right]
    totals = weight.sum(axis=1)
    drawn = (weight @ gain)[totals > 0] / totals[totals > 0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(gain.mean()), float(low), float(high)


def by_cost(cost: Sequence[float], ms: Floats, wanted: Sequence[float]) -> Floats:
    """A predictor that knows one cost alone: log latency linear in the log of the cost, fitted to some networks."""
    rows = np.stack([np.ones(len(cost)), np.log(np.asarray(cost, dtype=float))], axis=1)
    line, *_ = np.linalg.lstsq(rows, np.log(ms), rcond=None)
    return np.asarray(np.exp(line[0] + line[1] * np.log(np.asarray(wanted, dtype=float))))
