"""A latency table of a space on a device: its blocks measured, and corrected by a handful of whole networks."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from archsearch.cost.latency import TRAITS, LatencyTable
from archsearch.cost.shape_model import fit
from archsearch.measure.blocks import Block, blocks_of, chosen, ordered, sampled
from archsearch.measure.calibrate import calibrate
from archsearch.measure.fingerprint import compared
from archsearch.measure.method import Effort, Measurement, silent
from archsearch.measure.model import Model, block, whole
from archsearch.measure.partial import Partial
from archsearch.measure.pick import Stopwatch, reference
from archsearch.spec.copies import describe, standing
from archsearch.spec.lower import lower
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_digest import space_digest
from archsearch.spec.text import to_text

BLOCKS = Effort(least=6, most=14, target=0.03, every=8)
NETWORKS = Effort(least=10, most=40, target=0.015, every=2)
BLOCK_SHARE = 0.65  # of the time, at most: the rest is for whole networks
GROUP = 40  # networks that are measured before the blocks, and then at a time behind them
FIRST, PILOT = 16, 120  # blocks that are measured whatever the time; then those from which the time of all is foretold
SHAPES = 1200  # measured blocks that the regression on shapes learns from, at most

Tell = Callable[[str, int, int], None]  # what is measured, how many are done, of how many


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured for a table."""

    space: SearchSpace
    minutes: float = 12.0  # for networks and blocks, in all calls; the regression on shapes tells blocks beyond it
    most: int | None = None  # blocks to measure, at most; None: as many as there is time for
    networks: int = 240  # measured whole, at most: the first GROUP, then as many more as there is time for
    seed: int = 0
    effort: Effort = BLOCKS
    network_effort: Effort = NETWORKS

    def to_dict(self) -> dict[str, Any]:
        """What tells two plans apart."""
        plain = {name: getattr(self, name) for name in ("networks", "seed")}
        return plain | {"space": self.space.name, "digest": space_digest(self.space),
                        "classes": self.space.head.classes, "effort": asdict(self.effort),
                        "network_effort": asdict(self.network_effort)}  # fmt: skip


@dataclass(kw_only=True)
class Builder:
    """Measures what a plan names; a second call after a kill goes on."""

    watch: Stopwatch
    plan: Plan
    partial: Partial
    tell: Tell = silent

    def table(self) -> LatencyTable:
        """The table, not verified yet."""
        blocks = blocks_of(self.plan.space)
        networks = sampled(self.plan.space, self.plan.networks, seed=self.plan.seed)
        models = [whole(arch, text) for text, arch in networks]
        made = self._networks(models[:GROUP])
        self._blocks(blocks)
        for end in range(2 * GROUP, len(models) + GROUP, GROUP):  # behind the blocks: so a drift of hours is no bias
            if self._left() > 0 or len(self.partial.of("networks")) > len(made):
                made = self._networks(models[:end])
        return assemble(
            space=self.plan.space, blocks=blocks, alone=self.partial.of("blocks"), networks=made,
            archs=[arch for _, arch in networks[: len(made)]], fingerprint=self.watch.fingerprint(),
            reference_ms=float(self.partial.anchor or 0.0), about=self._about(blocks),
        )  # fmt: skip

    def measure(self, kind: str, models: Sequence[Model], effort: Effort) -> list[Measurement]:
        """Measurements of models, those that are known already taken from the disk."""
        open_ones = [model for model in models if (kind, model.name) not in self.partial.known]
        if open_ones:
            self.partial.begin()
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

    def _networks(self, models: Sequence[Model]) -> list[Measurement]:
        return self.measure("networks", models, self.plan.network_effort)

    def _left(self) -> float:
        """Seconds of the plan that are not spent yet."""
        spent = self.partial.spent
        return self.plan.minutes * 60 - spent.get("networks", 0.0) - spent.get("blocks", 0.0)

    def _blocks(self, blocks: dict[str, Block]) -> None:
        """Measure as many blocks as there is time for, well spread over all shapes."""
        wanted = min(self.plan.most or len(blocks), len(blocks))
        order = list(islice(ordered(blocks, seed=self.plan.seed), wanted))
        for step in (FIRST, PILOT, wanted):
            names = order[: min(step, max(FIRST, self._affordable()))]
            self.measure("blocks", [block(blocks[name]) for name in names], self.plan.effort)

    def _affordable(self) -> int:
        """How many blocks can be known within the plan's time, by what those that are known took; 0 while none are."""
        known, spent = len(self.partial.of("blocks")), self.partial.spent
        if not known:
            return 0
        left = BLOCK_SHARE * self.plan.minutes * 60 - spent["blocks"]
        return known + max(0, int(left / max(spent["blocks"] / known, 1e-6)))

    def _about(self, blocks: dict[str, Block]) -> dict[str, Any]:
        load = self.partial.load()
        return {"blocks_of_space": len(blocks), "seconds": round(sum(self.partial.spent.values()), 1),
                "seed": self.plan.seed, "effort": asdict(self.plan.effort),
                "network_effort": asdict(self.plan.network_effort),
                "foreign_load": None if load is None else round(load, 3)}  # fmt: skip


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
    told = {"measured": len(known), "shape_spread": shapes.spread, "classes": space.head.classes,
            "space_digest": space_digest(space)}  # fmt: skip
    return calibrated(table, archs, networks, about | told)


def calibrated(
    table: LatencyTable, archs: Sequence[Any], networks: Sequence[Measurement], about: dict[str, Any]
) -> LatencyTable:
    """The table with its weights fitted to networks that were measured whole."""
    alone = alone_of(table, archs)
    found = calibrate(archs, np.array([made.ms for made in networks]), alone)
    rows = [{"arch": to_text(arch), "ms": made.ms, "low": made.low, "high": made.high}
            for arch, made in zip(archs, networks, strict=True)]  # fmt: skip
    fitted = {"calibration_error": found.error, "ridge": found.ridge}
    told = about | {name: value if np.isfinite(value) else None for name, value in fitted.items()}
    return replace(table, weights=found.weights, margin=found.margin, networks=rows, about=told, verified=None)


def alone_of(table: LatencyTable, archs: Sequence[Any]) -> dict[str, float]:
    """What each block of some networks takes alone, as the table has it."""
    blocks = {describe(made): made for arch in archs for made, _ in standing(lower(arch))}
    return {name: table.alone_ms(name, made) for name, made in blocks.items()}


def partial_of(path: Path, plan: Plan, watch: Stopwatch) -> Partial:
    """Where a table's measurements lie until it is whole: beside it."""
    return Partial.open(path, "build", {"plan": plan.to_dict(), "device": compared(watch.fingerprint())})
