"""Architectures as plain data: what a network is, never how it runs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from archsearch import plugins
from archsearch.errors import SpecError, choices

ACTIVATIONS = ("relu6", "relu", "hard_swish", "silu", "linear")
BOTTLENECKS = ("auto", "linear", "relu6")
SHORTCUTS = ("auto", "bottleneck", "expansion", "none")


def make_divisible(channels: Any, divisor: int = 8) -> Any:
    """The multiple of `divisor` nearest to `channels`, at least `divisor`, never below 90 % of the wanted value.

    channels a number, or an array of them; the result has the same kind.
    Source: the width rounding of TF-slim's MobileNets, stated in arXiv:1801.04381, section 4 by its released code.
    """
    near = (channels + divisor // 2) // divisor * divisor
    near = near + divisor * (near < divisor)
    return near + divisor * (near < 0.9 * channels)


def scaled(width: int, multiplier: float) -> int:
    """Channels of a layer under a width multiplier (arXiv:1704.04861, section 3.3); 0 stays 0 (no layer)."""
    return int(make_divisible(width * multiplier)) if width else 0


def scaled_head(width: int, multiplier: float) -> int:
    """Channels of the last 1x1 convolution: multipliers below 1 leave it alone (arXiv:1801.04381, section 4.1)."""
    return scaled(width, max(1.0, multiplier))


def _whole(owner: str, name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise SpecError(f"{owner} {name} must be a whole number, at least {least}, got {value!r}")


def _kernel(owner: str, value: object) -> None:
    _whole(owner, "kernel", value, 1)
    if isinstance(value, int) and value % 2 == 0:
        raise SpecError(f"{owner} kernel must be odd, got {value}")


def _one_of(owner: str, name: str, value: object, known: tuple[str, ...] | list[str]) -> None:
    if value not in known:
        raise SpecError(f"{owner} {name} {value!r} is unknown; {choices(str(value), known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """The first convolution, from the image's 3 channels."""

    width: int = 32
    kernel: int = 3
    stride: int = 2
    act: str = "relu6"

    def __post_init__(self) -> None:
        _whole("stem", "width", self.width, 1)
        _whole("stem", "stride", self.stride, 1)
        _kernel("stem", self.kernel)
        _one_of("stem", "act", self.act, ACTIVATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A run of `repeats` equal blocks; only the first may change stride or width."""

    width: int  # output channels
    repeats: int = 1  # blocks, at least 1
    stride: int = 1  # of the first block
    kernel: int = 3  # odd [pixels]
    expand: int = 6  # hidden channels per input channel (ir); output channels per hidden channel (cr)
    block: str = "ir"  # a name in plug-in group "blocks"
    act: str = "relu6"  # between the layers of a block
    bottleneck: str = "auto"  # activation of the bottleneck layers: linear or relu6; auto = the block type's own
    shortcut: str = "auto"  # what the shortcut joins: bottleneck, expansion or none; auto = the block type's own

    def __post_init__(self) -> None:
        for name in ("width", "repeats", "stride", "expand"):
            _whole("stage", name, getattr(self, name), 1)
        _kernel("stage", self.kernel)
        _one_of("stage", "block", self.block, plugins.names("blocks"))
        _one_of("stage", "act", self.act, ACTIVATIONS)
        _one_of("stage", "bottleneck", self.bottleneck, BOTTLENECKS)
        _one_of("stage", "shortcut", self.shortcut, SHORTCUTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The classifier: an optional 1x1 convolution, global average pooling, one linear layer."""

    width: int = 1280  # channels of the last 1x1 convolution; 0 = none (MobileNetV1)
    classes: int = 1000
    act: str = "relu6"

    def __post_init__(self) -> None:
        _whole("head", "width", self.width, 0)
        _whole("head", "classes", self.classes, 1)
        _one_of("head", "act", self.act, ACTIVATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arch:
    """One network, whole: input resolution, stem, stages, head."""

    resolution: int = 224  # side of the square RGB input [pixels]
    stem: Stem = field(default_factory=Stem)
    stages: tuple[Stage, ...] = ()
    head: Head = field(default_factory=Head)

    def __post_init__(self) -> None:
        _whole("arch", "resolution", self.resolution, 1)
        if not isinstance(self.stages, tuple) or not all(isinstance(stage, Stage) for stage in self.stages):
            raise SpecError(f"arch stages must be a tuple of Stage, got {self.stages!r:.80}")

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers; `from_dict` reads it back."""
        plain = asdict(self)
        plain["stages"] = list(plain["stages"])
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The network that `to_dict` wrote.

        raises   SpecError for an unknown key, a missing width or a value that cannot be
        """
        _known_keys("arch", plain, cls)
        values = dict(plain)
        if "stem" in values:
            values["stem"] = _part(Stem, "stem", values["stem"])
        if "head" in values:
            values["head"] = _part(Head, "head", values["head"])
        stages = values.get("stages", ())
        if not isinstance(stages, list | tuple):
            raise SpecError(f"arch stages must be a list, got {stages!r:.80}")
        values["stages"] = tuple(_part(Stage, "stage", stage) for stage in stages)
        return cls(**values)

    def to_json(self) -> str:
        """One JSON document."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The network in a JSON document; raises SpecError where it is not one."""
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:  # also numbers or nesting without end
            raise SpecError(f"not JSON: {error}") from None
        return cls.from_dict(plain)


def _known_keys(owner: str, plain: object, cls: type[Any]) -> None:
    if not isinstance(plain, Mapping):
        raise SpecError(f"{owner} must be an object with keys, got {plain!r:.80}")
    known = [f.name for f in fields(cls)]
    for key in plain:
        if key not in known:
            raise SpecError(f"{owner} has no key {key!r}; {choices(str(key), known)}")


def _part(cls: type[Any], owner: str, plain: object) -> Any:
    _known_keys(owner, plain, cls)
    assert isinstance(plain, Mapping)
    try:
        return cls(**plain)
    except TypeError as error:
        raise SpecError(f"{owner} is incomplete: {error}") from None
