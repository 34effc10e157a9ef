"""Latency tables of the device of `tests.measure.fake`, made without measuring: exact, or as wrong as is wanted."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from archsearch.cost.latency import TRAITS, LatencyTable
from archsearch.cost.shape_model import ShapeModel, fit
from archsearch.measure.local import Local
from archsearch.measure.model import block, whole
from archsearch.measure.pick import reference
from archsearch.spec.copies import copies, describe
from archsearch.spec.lower import lower
from archsearch.spec.ops import Op
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_file import parse_space
from tests.measure.fake import FakeDevice, cost_ms

SPACE = (
    "classes = 10\nwidth = [0.5, 0.75, 1.0, 1.4]\nresolution = [96, 128]\n[stem]\nwidth = 16\n[head]\nwidth = 64\n"
    "[[stage]]\nwidth = 16\nexpand = [1, 2, 3]\nstride = 2\nkernel = [3, 5]\n"
    "[[stage]]\nwidth = [24, 32]\nrepeats = [1, 2, 3]\nstride = 2\nexpand = [2, 4, 6]\n"
)
NAME = "tiny"
ALONE = 0.016  # what a block alone costs more, but for its share of what a whole network does


def small_space() -> SearchSpace:
    """1,728 networks."""
    return parse_space(tomllib.loads(SPACE), name=NAME)


@lru_cache(maxsize=4)
def _shapes(text: str) -> ShapeModel:
    space = parse_space(tomllib.loads(text), name=NAME)
    seen: dict[str, Sequence[Op]] = {}
    for code in space.sample(60, np.random.default_rng(0)):
        for found in copies(lower(space.decode(code))):
            seen.setdefault(describe(found.blocks[0]), found.blocks[0]) if found.blocks[0] else None
    blocks = list(seen.values())
    return fit(blocks, np.array([cost_ms(block(each)) - ALONE for each in blocks]))


def fake_table(*, share: float = 1.0, margin: float = 1.1, passed: bool | None = True, **other: object) -> LatencyTable:
    """A table of `small_space`; `share` is what it says of the true latency, `passed` None: not verified."""
    ops = reference()
    made = LatencyTable(
        fingerprint=FakeDevice().fingerprint(), space=NAME, reference={"arch": ops.name, "ms": cost_ms(ops)},
        blocks={}, shapes=_shapes(SPACE), weights=(share, *[0.0] * (len(TRAITS) - 1)), margin=margin,
        verified=None if passed is None else {"passed": passed},
    )  # fmt: skip
    return replace(made, **other)  # type: ignore[arg-type]


def stopwatch(**options: object) -> Local:
    """The fake device as something that measures."""
    return Local(device=FakeDevice(**options))  # type: ignore[arg-type]


def true_ms(arch: object) -> float:
    """What a network takes on the fake device."""
    return cost_ms(whole(arch, "any"))  # type: ignore[arg-type]


def write(table: LatencyTable, path: Path) -> Path:
    """The table as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table.to_dict()))
    return path
