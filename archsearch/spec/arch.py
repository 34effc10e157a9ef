"""Architectures as plain data: what a network is, never how it runs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from archsearch import plugins
from archsearch.errors import SpecError, choices

ACTIVATIONS = ("relu6", "relu", "hard_swish", "silu", "linear")
BOTTLENECKS = ("auto", "linear", "relu6")
SHORTCUTS = ("auto", "bottleneck", "expansion", "none")
SE_OF = ("hidden", "input")
GATES = ("hard_sigmoid", "sigmoid")
MOST_STAGES, MOST_BLOCKS = 1000, 10_000  # of a network: what is larger is a slip of the pen


def make_divisible(channels: Any, divisor: int = 8) -> Any:
    """The multiple of `divisor` nearest to `channels`, at least `divisor`, never below 90 % of the wanted value.

    channels a number, or an array of them; the result has the same kind.
    Source: the width rounding of TF-slim's MobileNets, stated in arXiv:1801.04381, section 4 by its released code.
    """
    near = (channels + divisor // 2) // divisor * divisor
    near = near + divisor * (near < divisor)
    return near + divisor * (near < 0.9 * channels)


def expanded(channels: Any, ratio: Any) -> Any:
    """Hidden channels of a block: `channels` x `ratio` where the ratio is whole, else the nearest multiple of 8.

    ints, or arrays of them (the ratio may be a float, or an array of floats).
    Source: arXiv:1801.04381, table 2, and the rounding of MobileNetV3's released code (80 x 2.3 = 184).
    """
    wide, whole = channels * ratio, (ratio % 1 == 0) * 1
    return whole_number(wide * whole + make_divisible(wide) * (1 - whole))


def whole_number(value: Any) -> Any:
    """A number that is whole already as an int, or an array of such as int64."""
    return value.astype("int64") if hasattr(value, "astype") else int(value)


def scaled(width: int, multiplier: float) -> int:
    """Channels of a layer under a width multiplier (arXiv:1704.04861, section 3.3); 0 stays 0 (no layer)."""
    return int(make_divisible(width * multiplier)) if width else 0


def scaled_head(width: int, multiplier: float) -> int:
    """Channels of the last 1x1 convolution: multipliers below 1 leave it alone (arXiv:1801.04381, section 4.1)."""
    return scaled(width, max(1.0, multiplier))


def _whole(owner: str, name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise SpecError(f"{owner} {name} must be a whole number, at least {least}, got {value!r}")


def _kernel(owner: str, name: str, value: object, *, none: bool = False) -> None:
    _whole(owner, name, value, 0 if none else 1)
    if isinstance(value, int) and value % 2 == 0 and not (none and value == 0):
        raise SpecError(f"{owner} {name} must be odd, got {value}")


def _ratio(owner: str, name: str, value: object, least: float, most: float) -> float | int:
    """A number in a range; whole ones become ints, so that 6.0 and 6 are one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise SpecError(f"{owner} {name} must be a number from {least:g} to {most:g}, got {value!r}")
    return int(value) if value == int(value) else value


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
        _kernel("stem", "kernel", self.kernel)
        _one_of("stem", "act", self.act, ACTIVATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A run of `repeats` equal blocks; only the first may change stride or width."""

    width: int  # output channels
    repeats: int = 1  # blocks, at least 1
    stride: int = 1  # of the first block
    kernel: int = 3  # odd [pixels]; block uib: of the middle depthwise layer, 0 = none
    expand: float = 6  # hidden per input channel (ir, er, uib); wide per narrow channel (cr, sg); 1 to 100
    block: str = "ir"  # a name in plug-in group "blocks"
    act: str = "relu6"  # between the layers of a block
    bottleneck: str = "auto"  # activation of the bottleneck layers: linear or relu6; auto = the block type's own
    shortcut: str = "auto"  # what the shortcut joins: bottleneck, expansion or none; auto = the block type's own
    start: int = 0  # blocks uib, sg: kernel of a depthwise layer in front of the 1x1, 0 = none (sg: as released)
    se: float = 0  # squeeze-and-excitation: squeezed channels per channel of `se_of`, 0 = none
    se_of: str = "hidden"  # hidden (MobileNetV3; a multiple of 8) or input (MnasNet, EfficientNet; cut to an int)
    se_gate: str = "hard_sigmoid"  # or sigmoid

    def __post_init__(self) -> None:
        for name in ("width", "repeats", "stride"):
            _whole("stage", name, getattr(self, name), 1)
        object.__setattr__(self, "expand", _ratio("stage", "expand", self.expand, 1, 100))
        object.__setattr__(self, "se", _ratio("stage", "se", self.se, 0, 1))
        _one_of("stage", "block", self.block, plugins.names("blocks"))
        _kernel("stage", "kernel", self.kernel, none=self.block == "uib")
        _kernel("stage", "start", self.start, none=True)
        _one_of("stage", "act", self.act, ACTIVATIONS)
        _one_of("stage", "bottleneck", self.bottleneck, BOTTLENECKS)
        _one_of("stage", "shortcut", self.shortcut, SHORTCUTS)
        _one_of("stage", "se_of", self.se_of, SE_OF)
        _one_of("stage", "se_gate", self.se_gate, GATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What makes a network's answer of its last feature map; which of the fields count, its kind says."""

    kind: str = "classifier"  # a name in plug-in group "heads"
    width: int = 1280  # channels of the last 1x1 convolution; 0 = none (MobileNetV1)
    hidden: int = 0  # classifier: channels of a layer behind pooling, 0 = none; deeplabv3, lraspp: channels inside
    hidden_norm: bool = False  # classifier: that layer has batch norm and no bias (MobileNetV4), else a bias (V3)
    classes: int = 1000  # ssdlite: with the background
    act: str = "relu6"
    output_stride: int = 0  # the stages shrink the image no further than this and dilate instead; 0 = as they say

    def __post_init__(self) -> None:
        _one_of("head", "kind", self.kind, plugins.names("heads"))
        _whole("head", "width", self.width, 0)
        _whole("head", "hidden", self.hidden, 0)
        _whole("head", "classes", self.classes, 1)
        _whole("head", "output_stride", self.output_stride, 0)
        _one_of("head", "act", self.act, ACTIVATIONS)
        if not isinstance(self.hidden_norm, bool):
            raise SpecError(f"head hidden_norm must be true or false, got {self.hidden_norm!r}")


def stem_at(stem: Stem, multiplier: float) -> Stem:
    """A stem under a width multiplier."""
    return replace(stem, width=scaled(stem.width, multiplier))


def head_at(head: Head, multiplier: float) -> Head:
    """A head under a width multiplier: what stands last in front of the classifier never narrows.

    That is the last 1x1 convolution, or the hidden layer behind pooling where there is one; then the convolution is
    scaled like any other. Source: arXiv:1801.04381, section 4.1; TF-slim's MobileNetV3.
    """
    if head.kind == "classifier" and head.hidden:
        return replace(head, width=scaled(head.width, multiplier), hidden=scaled_head(head.hidden, multiplier))
    return replace(head, width=scaled_head(head.width, multiplier))


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
        blocks = sum(stage.repeats for stage in self.stages)
        if len(self.stages) > MOST_STAGES or blocks > MOST_BLOCKS:
            raise SpecError(f"a network has at most {MOST_STAGES:,} stages and {MOST_BLOCKS:,} blocks in all, "
                            f"got {len(self.stages):,} and {blocks:,}")  # fmt: skip

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
