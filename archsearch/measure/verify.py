"""Whether a table can be trusted: networks that it never saw, timed whole, twice, beside other predictors."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from archsearch.cost.count import count
from archsearch.cost.latency import LatencyTable
from archsearch.measure.build import NETWORKS, Builder
from archsearch.measure.calibrate import COVER
from archsearch.measure.device import Device
from archsearch.measure.method import Measurement
from archsearch.measure.model import Model, whole
from archsearch.measure.score import Score, band_gain, by_cost, pairs, score
from archsearch.spec.arch import Arch
from archsearch.spec.copies import describe, standing
from archsearch.spec.lower import lower
from archsearch.spec.text import from_text

MOST_ERROR = 0.10  # mean relative error that a table may have, or
OF_REPEAT = 1.25  # so many times that of a second measurement, where that is more, and never above
LIMIT = 0.15
LEAST_TAU = 0.6  # of the order of the networks; and not below that of MAdds alone by more than
TAU_LOSS = 0.05
WARM, CALLS = 10, 100  # of the usual way
FEWEST = 3  # networks that judge a table
SURELY = 0.01  # the table's upper ends fail where so many networks above them would be this unlikely
OTHERS = ("madds", "params", "activations")

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """Held-out networks as they were measured: by the method, and by it again with the models loaded anew."""

    archs: Sequence[Arch]
    first: Sequence[Measurement]
    second: Sequence[Measurement] | None  # None: measured once
    seconds: float
    usual: tuple[Floats, Floats] | None = None  # twice as it is usually done; None: it was not asked for

    @property
    def ms(self) -> Floats:
        """The first measurement [ms]."""
        return np.array([made.ms for made in self.first])


def held_out(builder: Builder, archs: Sequence[tuple[str, Arch]], *, usual: Device | None = None) -> Trial:
    """Measure networks twice; what is on disk already is taken from there.

    usual    the device, to measure them twice as it is usually done, too
    """
    began = time.monotonic()
    models = [whole(arch, text) for text, arch in archs]
    first = builder.measure("held out", models, NETWORKS)
    second = builder.measure("held out again", models, NETWORKS)
    passes = None if usual is None else (usual_way(usual, models), usual_way(usual, models))
    return Trial(archs=[arch for _, arch in archs], first=first, second=second, usual=passes,
                 seconds=time.monotonic() - began)  # fmt: skip


def usual_way(device: Device, models: Sequence[Model]) -> Floats:
    """Networks one after another, of each the median of 100 calls behind 10 more; nothing pinned or paired [ms]."""
    found = []
    for model in models:
        loaded = device.load(model)
        try:
            times = [loaded.run() for _ in range(WARM + CALLS)][WARM:]
        finally:
            loaded.close()
        found.append(float(np.median(times)))
    return np.array(found)


def judged(table: LatencyTable, trial: Trial) -> dict[str, Any]:
    """What a trial says of a table: scores of all predictors and of the repeat, and the verdict.

    `repeat` judges a second measurement by the method, `plain repeat` the median of all its timed runs, uncorrected.
    """
    measured, archs = trial.ms, trial.archs
    costs = [count(arch, OTHERS) for arch in archs]
    madds = np.array([cost["madds"] for cost in costs], dtype=float)
    told = np.array([table.predict(arch) for arch in archs])
    names = {"table": told, "block sum": np.array([_sum(table, arch) for arch in archs])}
    names |= {f"{name} only": _by(table, name, [cost[name] for cost in costs]) for name in OTHERS}
    scores = [score(name, values, measured, madds) for name, values in names.items()]
    scores += repeats(trial, madds)
    gains = {name: band_gain(told, names[f"{name} only"], measured, madds) for name in OTHERS}
    kept = int((measured <= told * table.margin).sum())
    verdict = why_not(scores, kept, len(archs))
    return {
        "networks": len(archs), "scores": [each.to_dict() for each in scores], "cover": kept / len(archs),
        "band_pairs": len(pairs(madds)[0]), "band_gain": {name: _known(gain) for name, gain in gains.items()},
        "passed": not verdict, "why_not": verdict, "seconds": round(trial.seconds, 1),
        "measured": [{"arch": made.name, "predicted": float(value), "ms": made.ms, "low": made.low, "high": made.high,
                      "raw": made.raw_ms, "again": None if again is None else again.ms, "madds": int(cost)}
                     for made, again, value, cost in zip(trial.first, again_of(trial), told, madds, strict=True)],
    }  # fmt: skip


def again_of(trial: Trial) -> Sequence[Measurement | None]:
    """The second measurement of each network, or None for each."""
    return trial.second if trial.second is not None else [None] * len(trial.archs)


def repeats(trial: Trial, madds: Floats) -> list[Score]:
    """How well a second measurement tells the first: by the method, by the plain median of its runs, the usual way."""
    if trial.second is None:
        return []
    usual = [] if trial.usual is None else [score("usual way, again", trial.usual[1], trial.usual[0], madds)]
    plain = [np.array([made.raw_ms for made in each]) for each in (trial.first, trial.second)]
    return [score("repeat", np.array([made.ms for made in trial.second]), trial.ms, madds),
            score("plain repeat", plain[1], plain[0], madds), *usual]  # fmt: skip


def why_not(scores: Sequence[Score], kept: int, networks: int) -> list[str]:
    """Why a table is not to be trusted, one line each; [] where it is. `kept`: networks within their upper end."""
    by_name = {each.name: each for each in scores}
    repeat = OF_REPEAT * by_name["repeat"].error if "repeat" in by_name else 0.0
    most = min(LIMIT, max(MOST_ERROR, repeat))
    error, tau = by_name["table"].error, by_name["table"].tau
    told = []
    if error > most:
        told.append(f"its mean error of {100 * error:.1f} % is above {100 * most:.1f} %")
    if not tau >= LEAST_TAU:
        told.append(f"its order of networks has a tau of {tau:.2f}, below {LEAST_TAU:g}")
    elif tau < (plain := by_name["madds only"].tau) - TAU_LOSS:
        told.append(f"its order of networks has a tau of {tau:.2f}, that of MAdds alone {plain:.2f}")
    if binom.cdf(kept, networks, COVER) < SURELY:
        told.append(f"{networks - kept} of {networks} networks are above the upper end that 19 of 20 should keep to")
    return told


def _known(values: Sequence[float]) -> list[float | None]:
    """Numbers as JSON has them: what is not known is None."""
    return [float(value) if np.isfinite(value) else None for value in values]


def _sum(table: LatencyTable, arch: Arch) -> float:
    """The uncorrected sum over a network's blocks [ms]."""
    return sum(table.alone_ms(describe(block), block) * times for block, times in standing(lower(arch)))


def _by(table: LatencyTable, name: str, wanted: Sequence[float]) -> Floats:
    """A predictor that knows one cost alone, fitted to the networks that calibrated the table."""
    costs = [count(from_text(str(row["arch"])), [name])[name] for row in table.networks]
    return by_cost(costs, np.array([row["ms"] for row in table.networks]), wanted)
