"""Timing many models on a device of this machine: pinned, chunk by chunk, so that a kill loses little."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from archsearch.measure.device import Device, Loaded, Settings
from archsearch.measure.method import Effort, Measurement, measure, silent
from archsearch.measure.model import Model
from archsearch.measure.pinning import Load, pinned

CHUNK = 300  # models that are loaded at once
CHUNK_BYTES = 1 << 30  # of their weights

Tell = Callable[[int, int], None]  # candidates done, of how many
Keep = Callable[[Measurement, float], None]  # what is known of one candidate for good, and the anchor it stands on


@dataclass(frozen=True, kw_only=True)
class Local:
    """A device of this machine, as something that measures."""

    device: Device

    @property
    def settings(self) -> Settings:
        """How models are run."""
        return self.device.settings

    def fingerprint(self) -> dict[str, Any]:
        """What the times depend on."""
        return self.device.fingerprint()

    def measure(
        self, models: Sequence[Model], reference: Model, *, anchor: float | None, effort: Effort, seed: int = 0,
        tell: Tell = silent, keep: Keep = silent,
    ) -> tuple[list[Measurement], float]:  # fmt: skip
        """Time models side by side, in random order.

        anchor   what the reference takes undisturbed [ms]; None: what it takes in the first chunk
        keep     is told of each chunk's measurements as soon as they are known
        returns  measurements in the order of the models, and the anchor
        raises   DeviceError for a model that the device cannot run
        """
        order = np.random.default_rng(seed).permutation(len(models)).tolist()
        found: dict[int, Measurement] = {}
        with pinned(self.settings.threads):
            base = self.device.load(reference)
            try:
                for nth, chunk in enumerate(chunks(order, models)):
                    done = len(found)
                    made, anchor = self._chunk(
                        [models[place] for place in chunk], base, anchor=anchor, effort=effort, seed=seed + nth,
                        tell=lambda now, _, done=done: tell(done + now, len(models)),
                    )  # fmt: skip
                    found |= dict(zip(chunk, made, strict=True))
                    for each in made:
                        keep(each, anchor)
            finally:
                base.close()
        return [found[place] for place in range(len(models))], float(anchor or 0.0)

    def _chunk(
        self, models: Sequence[Model], reference: Loaded, *, anchor: float | None, effort: Effort, seed: int, tell: Tell
    ) -> tuple[list[Measurement], float]:
        load, ready = Load(), []
        try:
            for model in models:
                ready.append((model.name, self.device.load(model)))
            made, base = measure(ready, reference, anchor=anchor, effort=effort, seed=seed, tell=tell)
        finally:
            for _, each in ready:
                each.close()
        return [replace(each, foreign_load=load.foreign()) for each in made], base


def chunks(order: Sequence[int], models: Sequence[Model]) -> Iterator[list[int]]:
    """Runs of models that fit in memory together."""
    chunk: list[int] = []
    spent = 0
    for place in order:
        size = weight_bytes(models[place])
        if chunk and (len(chunk) >= CHUNK or spent + size > CHUNK_BYTES):
            yield chunk
            chunk, spent = [], 0
        chunk.append(place)
        spent += size
    if chunk:
        yield chunk


def weight_bytes(model: Model) -> int:
    """Bytes of a model's weights as float32, and of its largest map, about."""
    weights = sum(op.c_out * op.per_group * op.kernel**2 if op.kind == "conv" else op.c_in * op.c_out
                  for op in model.ops if op.kind in ("conv", "linear"))  # fmt: skip
    return 4 * (weights + max(op.c_out * op.size_out**2 + op.c_in * op.size_in**2 for op in model.ops))
