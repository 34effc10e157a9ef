"""A device whose times are made up of the operations alone, with noise and drift that the test decides."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from archsearch.measure.device import Settings
from archsearch.measure.model import Model


def cost_ms(model: Model) -> float:
    """Milliseconds of a model: work, traffic and a little for each op; blocks alone cost a change of layout more."""
    total = 0.02 * len(model.inputs)
    for op in model.ops:
        work = op.c_out * op.size_out**2 * op.per_group * op.kernel**2
        total += 2e-3 + work * 4e-8 + op.c_out * op.size_out**2 * 2e-7
    return total


@dataclass
class FakeModel:
    """A loaded model: its time, disturbed by what the device says."""

    ms: float
    disturb: Callable[[float], float]
    closed: bool = False

    def run(self) -> float:
        """One inference [ms]."""
        assert not self.closed
        return self.disturb(self.ms)

    def close(self) -> None:
        """Let go of it."""
        self.closed = True


@dataclass
class FakeDevice:
    """Runs nothing; `noise` is the spread of one run, `speed` what the machine's speed is after so many runs."""

    settings: Settings = field(default_factory=Settings)
    name: str = "fake"
    noise: float = 0.0
    speed: Callable[[int], float] = lambda _: 1.0
    factor: float = 1.0
    loaded: list[str] = field(default_factory=list)
    fail_after: int | None = None

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.runs = 0

    def load(self, model: Model) -> FakeModel:
        """A model whose time is known."""
        self.loaded.append(model.name)
        return FakeModel(cost_ms(model) * self.factor, self._disturbed)

    def _disturbed(self, ms: float) -> float:
        self.runs += 1
        if self.fail_after is not None and self.runs > self.fail_after:
            raise KeyboardInterrupt
        return ms * self.speed(self.runs) * float(np.exp(self.noise * abs(self.rng.standard_normal())))

    def fingerprint(self) -> dict[str, Any]:
        """Nothing that a real device has."""
        return {"device": self.name, **self.settings.to_dict(), "cpu": "none", "cores": 2, "versions": {"fake": "1"}}


def fake(settings: Settings) -> FakeDevice:
    """The plug-in."""
    return FakeDevice(settings=settings, noise=0.01)


def install(monkeypatch: Any) -> None:
    """Make the device known as `fake`, in this test alone."""
    from archsearch import plugins

    monkeypatch.setitem(plugins.TABLE["devices"], "fake", "tests.measure.fake:fake")
    plugins.table.cache_clear()
    plugins.load.cache_clear()
