"""Published networks by their TF-slim names: `mobilenet_v2`, `mobilenet_v2_0.75_192`, `mobilenet_v1_1.0_224`."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from archsearch.errors import SpecError, choices
from archsearch.spec.arch import Arch, Head, Stage, Stem, scaled, scaled_head
from archsearch.spec.text import from_text

V2_STAGES = (  # expand, width, repeats, stride: arXiv:1801.04381, table 2
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
V1_STAGES = (  # width, repeats, stride: arXiv:1704.04861, table 1
    (64, 1, 1),
    (128, 1, 2),
    (128, 1, 1),
    (256, 1, 2),
    (256, 1, 1),
    (512, 1, 2),
    (512, 5, 1),
    (1024, 1, 2),
    (1024, 1, 1),
)


def mobilenet_v2(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV2 with 1,000 classes, as TF-slim and torchvision have it (arXiv:1801.04381, table 2)."""
    stages = tuple(Stage(expand=t, width=scaled(c, width), repeats=n, stride=s) for t, c, n, s in V2_STAGES)
    return Arch(
        resolution=resolution,
        stem=Stem(width=scaled(32, width)),
        stages=stages,
        head=Head(width=scaled_head(1280, width)),
    )


def mobilenet_v1(width: float = 1.0, resolution: int = 224) -> Arch:
    """MobileNetV1 with TF-slim's 1,001 classes (the background class counts; arXiv:1704.04861, table 1)."""
    stages = tuple(Stage(block="ds", expand=1, width=scaled(c, width), repeats=n, stride=s) for c, n, s in V1_STAGES)
    return Arch(
        resolution=resolution,
        stem=Stem(width=scaled(32, width)),
        stages=stages,
        head=Head(width=0, classes=1001),
    )


FAMILIES: dict[str, Callable[[float, int], Arch]] = {"mobilenet_v1": mobilenet_v1, "mobilenet_v2": mobilenet_v2}


def preset(name: str) -> Arch:
    """The network of a name `FAMILY[_WIDTH[_RESOLUTION]]`.

    raises   SpecError naming the nearest family, or the part of the name that cannot be read
    """
    family = next((known for known in FAMILIES if name == known or name.startswith(known + "_")), None)
    if family is None:
        raise SpecError(f"no network is called {name!r}; {choices(name, FAMILIES)} (with _WIDTH_RESOLUTION behind)")
    match = re.fullmatch(r"(?:_(\d{1,6}(?:\.\d{1,9})?))?(?:_(\d{1,6}))?", name.removeprefix(family))
    if match is None or float(match[1] or 1) <= 0:
        raise SpecError(f"{name!r} cannot be read; a preset is {family}_WIDTH_RESOLUTION, like {family}_0.75_192")
    if float(match[1] or 1) >= 10:
        raise SpecError(f"{name!r} has no width below 10; write {family}_1.0_{match[1]} for {match[1]} pixels")
    return FAMILIES[family](float(match[1] or 1.0), int(match[2] or 224))


def arch_of_json(text: str) -> Arch:
    """The network of a JSON document: what `Arch.to_json` wrote, or a record that `--json` printed.

    raises   SpecError where it is neither
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers or nesting without end
        raise SpecError(f"not JSON: {error}") from None
    if isinstance(plain, dict) and isinstance(plain.get("arch"), str):
        return from_text(plain["arch"])
    return Arch.from_dict(plain)


def read_arch(text: str) -> Arch:
    """The network that a user names: a preset, a JSON file, or a text form.

    raises   SpecError saying which of the three was tried and why it failed
    """
    if text.endswith(".json"):
        if not os.path.isfile(text):  # False, too, for what cannot be a path
            raise SpecError(f"no such file: {text}")
        try:
            return arch_of_json(Path(text).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, SpecError) as error:
            raise SpecError(f"{text}: {error}") from None
    if re.match(r"r\d+(\s|$)", text):
        return from_text(text)
    return preset(text)
