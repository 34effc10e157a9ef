"""A latency table: what the blocks of networks take on one device, and so what any network of them takes.

Blocks are timed alone, as a runtime fuses them; in a network they cost a little more or less: their weights come from
further away, their maps need no change of layout. So each block's time is corrected by a few of its traits, with
weights that were fitted to whole networks. A network's latency is the sum over its blocks, which makes it a cost like
any other: exact sums in cost tables, hard budgets, exact counts of what fits.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from archsearch.cost.budget import NS
from archsearch.cost.shape_model import ShapeModel
from archsearch.errors import CountError, LatencyError
from archsearch.spec.arch import Arch
from archsearch.spec.copies import copies, describe, standing
from archsearch.spec.lower import lower
from archsearch.spec.ops import Op

FORMAT = 1
TRAITS = ("ms", "block", "input", "output", "weights", "big_weights", "big_map", "dense_ms", "dense_weights",
          "separable_ms", "separable", "separable_input", "separable_output", "stem_ms", "head_ms")  # fmt: skip
CACHE = 1 << 20  # bytes: what is larger does not stay in a core's own cache beside other things
LEAST = 0.1  # of a block's own time: no correction takes more away

Floats = NDArray[np.float64]
Block = Sequence[Op]


@dataclass(frozen=True, kw_only=True, eq=False)
class LatencyTable:
    """Latencies of one device [ms]; read one from a file with `read_table`."""

    fingerprint: Mapping[str, Any]  # of the device
    space: str  # for which it was made
    reference: Mapping[str, Any]  # the network that speed is judged by: `arch`, and `ms` on this device undisturbed
    blocks: Mapping[str, float]  # description -> ms, measured alone
    shapes: ShapeModel | None  # says what other blocks take
    weights: tuple[float, ...]  # of the TRAITS
    margin: float  # of 20 networks, 19 take at most this times what is predicted
    networks: Sequence[Mapping[str, Any]] = ()  # measured whole, to calibrate: `arch`, `ms`, `low`, `high`
    verified: Mapping[str, Any] | None = None  # what `latency table verify` found; `passed` is the verdict
    about: Mapping[str, Any] = field(default_factory=dict)  # how it was made: effort, seconds, versions

    def block_ms(self, block: Block) -> float:
        """What a block takes inside a network [ms], above 0; one that is absent takes nothing.

        raises   LatencyError where it was not measured and the table has nothing to say of other shapes
        """
        if not block:
            return 0.0
        name = describe(block)
        if name not in self._known:
            own = self.alone_ms(name, block)
            self._known[name] = float(corrected(np.array([traits(block, own)]), np.array(self.weights))[0])
        return self._known[name]

    def prepare(self, blocks: Sequence[Block]) -> None:
        """Ask the regression on shapes once for all of these blocks: many times as fast as one by one."""
        named = {describe(block): block for block in blocks if block}
        fresh = [name for name in named if name not in self.blocks and name not in self._shaped]
        if fresh and self.shapes is not None:
            told = self.shapes.predict([named[name] for name in fresh])
            self._shaped.update(zip(fresh, told.tolist(), strict=True))

    def alone_ms(self, name: str, block: Block) -> float:
        """What a block takes by itself [ms]: as measured, else as its shape says."""
        if name in self.blocks:
            return self.blocks[name]
        if self.shapes is None:
            raise LatencyError(f"this latency table holds no block {name!r}; build one for this space")
        if name not in self._shaped:
            self._shaped[name] = float(self.shapes.predict([block])[0])
        return self._shaped[name]

    def predict(self, arch: Arch) -> float:
        """What a network takes [ms]."""
        return sum(self.block_ms(block) * times for block, times in standing(lower(arch)))

    def missing(self, arch: Arch) -> list[str]:
        """Descriptions of the blocks of a network that were not measured."""
        return [name for block, _ in standing(lower(arch)) if (name := describe(block)) not in self.blocks]

    @property
    def passed(self) -> bool:
        """Whether its verification trusts it."""
        return bool(self.verified and self.verified.get("passed"))

    @cached_property
    def _known(self) -> dict[str, float]:
        return {}

    @cached_property
    def _shaped(self) -> dict[str, float]:
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        return {
            "format": FORMAT, "fingerprint": dict(self.fingerprint), "space": self.space,
            "reference": dict(self.reference), "margin": self.margin, "verified": self.verified,
            "weights": dict(zip(TRAITS, self.weights, strict=True)), "about": dict(self.about),
            "networks": [dict(each) for each in self.networks], "blocks": dict(self.blocks),
            "shapes": None if self.shapes is None else self.shapes.to_dict(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The table that `to_dict` wrote; raises LatencyError where it is another format or a part is missing."""
        if plain.get("format") != FORMAT:
            raise LatencyError(f"not a latency table of format {FORMAT}, got format {plain.get('format')!r}")
        try:
            shapes = plain["shapes"]
            return cls(
                fingerprint=_fingerprint(plain["fingerprint"]), space=_text(plain["space"]),
                reference=_timed(plain["reference"]),
                blocks={str(name): _positive(ms) for name, ms in _mapping(plain["blocks"]).items()},
                shapes=None if shapes is None else ShapeModel.from_dict(shapes),
                weights=tuple(_finite(plain["weights"][name]) for name in TRAITS), margin=_positive(plain["margin"]),
                networks=[_timed(each) for each in plain["networks"]], verified=_verdict(plain["verified"]),
                about=_mapping(plain["about"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError, CountError) as error:
            raise LatencyError(f"this latency table is damaged: {type(error).__name__} {error}") from None


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no number")
    return number


def _positive(value: Any) -> float:
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{value!r} is no latency")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no table of names and values")
    return value


def _fingerprint(value: Any) -> Mapping[str, Any]:
    _text(_mapping(value)["device"])
    _mapping(value.get("versions", {}))
    return _mapping(value)


def _timed(value: Any) -> Mapping[str, Any]:
    return {**_mapping(value), "arch": _text(value["arch"]), "ms": _positive(value["ms"])}


def _verdict(value: Any) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(_mapping(value)["passed"], bool):
        raise TypeError(f"{value['passed']!r} is no verdict")
    return None if value is None else _mapping(value)


def traits(block: Block, ms: float) -> tuple[float, ...]:
    """What a block's correction depends on, in the order of TRAITS.

    Its own time; one; elements of its input and output; its weights; bytes of its weights and of its widest map beyond
    1 MiB; time and weights of blocks with a dense convolution wider than 1x1; time, number, input and output of blocks
    that are a depthwise layer and one more, which read the map before them at once; time of stem and head.
    """
    conv = [op for op in block if op.kind in ("conv", "linear")]
    weights = float(sum(map(_weights, conv)))
    widest = max((int(op.c_out * op.size_out**2) for op in conv), default=0)
    dense = any(bool(op.kernel > 1 and op.per_group > 1) for op in conv)
    separable = bool(len(conv) == 2 and conv[0].kind == "conv" and conv[0].per_group == 1 and conv[0].c_in > 1)
    into, out = float(block[0].c_in * block[0].size_in ** 2), float(block[-1].c_out * block[-1].size_out ** 2)
    stem, head = bool(block[0].c_in == 3 and len(conv) == 1), any(op.kind == "linear" for op in conv)
    return (ms, 1.0, into, out, weights, max(0.0, 4 * weights - CACHE), max(0.0, 4.0 * widest - CACHE), ms * dense,
            weights * dense, ms * separable, 1.0 * separable, into * separable, out * separable, ms * stem,
            ms * head)  # fmt: skip


def _weights(op: Op) -> int:
    """Weights of a convolution or linear layer."""
    return int(op.c_in * op.c_out if op.kind == "linear" else op.c_out * op.per_group * op.kernel**2)


def block_traits(arch: Arch, alone: Mapping[str, float]) -> tuple[Floats, Floats]:
    """The traits of each block of a network, float[blocks, TRAITS], and how often it stands there, float[blocks].

    alone    description -> ms of each block by itself
    """
    found = standing(lower(arch))
    rows = np.array([traits(block, alone[describe(block)]) for block, _ in found])
    return rows, np.array([times for _, times in found], dtype=float)


def corrected(rows: Floats, weights: Floats) -> Floats:
    """What blocks take inside a network [ms]; rows float[blocks, TRAITS] -> float[blocks]."""
    return np.asarray(np.maximum(rows @ weights, LEAST * rows[:, 0]))


@dataclass(frozen=True, eq=False)
class LatencyMetric:
    """A table as a metric, whole nanoseconds: of one network, or of n at once, by the same ops as every other cost."""

    table: LatencyTable
    name: str
    share: float  # of the prediction that it tells: 1, or the table's margin
    about: str
    unit: str = "ns"
    peak: bool = False

    def total(self, ops: list[Op]) -> Any:
        """Latency of a network or a part of it (int), or of n (int64[n]), from `lower` or `lower_part` [ns].

        raises   LatencyError for a block that the table cannot tell
        """
        total: Any = 0
        for found in copies(ops):
            self.table.prepare(found.blocks)
            prices = np.array([self._ns(block) for block in found.blocks], dtype=np.int64)
            each = prices[found.which]
            total = total + (each if each.ndim else int(each)) * found.times
        return total

    def _ns(self, block: Block) -> int:
        return math.ceil(self.table.block_ms(block) * self.share * NS)

    def price(self, op: Op) -> Any:
        """Raises LatencyError: a block's latency is not the sum of its ops'."""
        raise LatencyError("latency is known of whole blocks, not of single operations")


def metrics_of(table: LatencyTable) -> tuple[LatencyMetric, LatencyMetric]:
    """The two metrics of a table: what is expected, and what 19 of 20 networks do not exceed."""
    return (
        LatencyMetric(table, "latency", 1.0, "latency, as a table predicts it"),
        LatencyMetric(table, "latency_upper", table.margin, "latency that 19 of 20 such networks do not exceed"),
    )


def read_table(path: Path) -> LatencyTable:
    """A table from its file; raises LatencyError where there is none, or none that can be read."""
    try:
        plain = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise LatencyError(f"latency table {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise LatencyError(f"{path} is no latency table: {error}") from None
    if not isinstance(plain, dict):
        raise LatencyError(f"{path} is no latency table")
    return LatencyTable.from_dict(plain)
