"""A latency table of a space on a device: its blocks measured, and corrected by a handful of whole networks."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.cost.latency import TRAITS, LatencyTable
from archsearch.cost.shape_model import fit
from archsearch.measure.blocks import Block, blocks_of, chosen, sampled
from archsearch.measure.calibrate import calibrate
from archsearch.measure.method import Effort, Measurement
from archsearch.measure.model import Model, block, whole
from archsearch.measure.partial import Partial
from archsearch.measure.pick import Stopwatch, reference
from archsearch.spec.space import SearchSpace
from archsearch.spec.text import to_text

BLOCKS = Effort(least=6, most=14, target=0.03, every=8)
NETWORKS = Effort(least=10, most=40, target=0.015, every=2)
PILOT = 120  # blocks, from which the time of all is foretold
SHAPES = 1200  # measured blocks that the regression on shapes learns from, at most

Tell = Callable[[str, int, int], None]  # what is measured, how many are done, of how many


def _silent(*_: Any) -> None:
    """No progress shown."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured for a table."""

    space: SearchSpace
    minutes: float = 12.0  # for all of it; blocks beyond that are left to the regression on shapes
    most: int | None = None  # blocks to measure, at most; None: as many as there is time for
    networks: int = 40  # measured whole
    seed: int = 0
    effort: Effort = BLOCKS
    network_effort: Effort = NETWORKS

    def to_dict(self) -> dict[str, Any]:
        """What tells two plans apart."""
        plain = {name: getattr(self, name) for name in ("networks", "seed")}
        return plain | {"space": self.space.name, "axes": [asdict(axis) for axis in self.space.axes],
                        "effort": asdict(self.effort), "network_effort": asdict(self.network_effort)}  # fmt: skip


@dataclass(kw_only=True)
class Builder:
    """Measures what a plan names; a second call after a kill goes on."""

    watch: Stopwatch
    plan: Plan
    partial: Partial
    tell: Tell = _silent
    began: float = field(default_factory=time.monotonic)

    def table(self) -> LatencyTable:
        """The table, not verified yet."""
        blocks = blocks_of(self.plan.space)
        networks = sampled(self.plan.space, self.plan.networks, seed=self.plan.seed)
        whole_ones = self.measure("networks", [whole(arch, text) for text, arch in networks], self.plan.network_effort)
        self._blocks(blocks)
        alone = {name: made for (kind, name), made in self.partial.known.items() if kind == "blocks"}
        return assemble(
            space=self.plan.space, blocks=blocks, alone=alone, networks=whole_ones,
            archs=[arch for _, arch in networks], fingerprint=self.watch.fingerprint(),
            reference_ms=float(self.partial.anchor or 0.0), about=self._about(blocks),
        )  # fmt: skip

    def measure(self, kind: str, models: Sequence[Model], effort: Effort) -> list[Measurement]:
        """Measurements of models, those that are known already taken from the disk."""
        open_ones = [model for model in models if (kind, model.name) not in self.partial.known]
        if open_ones:
            done = len(models) - len(open_ones)
            made, anchor = self.watch.measure(
                open_ones, reference(), anchor=self.partial.anchor, effort=effort, seed=self.plan.seed,
                tell=lambda now, _: self.tell(kind, done + now, len(models)),
                keep=lambda each, anchor: self.partial.keep(kind, each, anchor),
            )  # fmt: skip
            for each in made:
                if (kind, each.name) not in self.partial.known:
                    self.partial.keep(kind, each, anchor)
        return [self.partial.known[kind, model.name] for model in models]

    def _blocks(self, blocks: dict[str, Block]) -> None:
        """Measure as many blocks as there is time for, well spread over all shapes."""
        wanted = min(self.plan.most or len(blocks), len(blocks))
        pilot = chosen(blocks, min(PILOT, wanted), seed=self.plan.seed)
        at = time.monotonic()
        fresh = [name for name in pilot if ("blocks", name) not in self.partial.known]
        self.measure("blocks", [block(blocks[name]) for name in pilot], self.plan.effort)
        each = (time.monotonic() - at) / len(fresh) if fresh else 0.0
        left = self.plan.minutes * 60 - (time.monotonic() - self.began)
        most = min(wanted, len(pilot) + max(0, int(left / each))) if each else wanted
        names = dict.fromkeys([*pilot, *chosen(blocks, most, seed=self.plan.seed)])
        self.measure("blocks", [block(blocks[name]) for name in list(names)[:most]], self.plan.effort)

    def _about(self, blocks: dict[str, Block]) -> dict[str, Any]:
        loads = [made.foreign_load for made in self.partial.known.values() if made.foreign_load is not None]
        return {"blocks_of_space": len(blocks), "seconds": round(time.monotonic() - self.began, 1),
                "seed": self.plan.seed, "effort": asdict(self.plan.effort),
                "network_effort": asdict(self.plan.network_effort),
                "foreign_load": round(float(np.mean(loads)), 3) if loads else None}  # fmt: skip


def assemble(
    *, space: SearchSpace, blocks: dict[str, Block], alone: dict[str, Measurement], networks: Sequence[Measurement],
    archs: Sequence[Any], fingerprint: dict[str, Any], reference_ms: float, about: dict[str, Any],
) -> LatencyTable:  # fmt: skip
    """A table made of measurements, wherever they come from.

    blocks    of the space; `alone` holds what was measured of them
    networks  measured whole, in the order of `archs`
    """
    known = {name: made.ms for name, made in alone.items() if name in blocks}
    learnt = chosen({name: blocks[name] for name in known}, SHAPES)
    shapes = fit([blocks[name] for name in learnt], np.array([known[name] for name in learnt]))
    table = LatencyTable(
        fingerprint=fingerprint, space=space.name, reference={"arch": reference().name, "ms": reference_ms},
        blocks=known, shapes=shapes, weights=(1.0, *[0.0] * (len(TRAITS) - 1)), margin=1.0,
    )  # fmt: skip
    return calibrated(table, archs, networks, about | {"measured": len(known), "shape_spread": shapes.spread})


def calibrated(
    table: LatencyTable, archs: Sequence[Any], networks: Sequence[Measurement], about: dict[str, Any]
) -> LatencyTable:
    """The table with its weights fitted to networks that were measured whole."""
    alone = alone_of(table, archs)
    found = calibrate(archs, np.array([made.ms for made in networks]), alone)
    rows = [{"arch": to_text(arch), "ms": made.ms, "low": made.low, "high": made.high}
            for arch, made in zip(archs, networks, strict=True)]  # fmt: skip
    told = about | {"calibration_error": found.error, "ridge": found.ridge if np.isfinite(found.ridge) else None}
    return replace(table, weights=found.weights, margin=found.margin, networks=rows, about=told, verified=None)


def alone_of(table: LatencyTable, archs: Sequence[Any]) -> dict[str, float]:
    """What each block of some networks takes alone, as the table has it."""
    from archsearch.spec.copies import copies, describe
    from archsearch.spec.lower import lower

    blocks = {describe(found.blocks[0]): found.blocks[0] for arch in archs for found in copies(lower(arch))
              if found.blocks[0]}  # fmt: skip
    return {name: table.alone_ms(name, made) for name, made in blocks.items()}


def partial_of(path: Path, plan: Plan, watch: Stopwatch) -> Partial:
    """Where a table's measurements lie until it is whole: beside it."""
    told = {name: value for name, value in watch.fingerprint().items() if name != "cores"}
    return Partial.open(path.with_name(path.name + ".partial"), {"plan": plan.to_dict(), "device": told})
