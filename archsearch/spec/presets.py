"""The three ways to name a network: a preset like `mobilenet_v2_0.75_192`, a JSON file, a text form."""

import difflib
import json
import os
import re
from pathlib import Path

from archsearch.errors import SpecError
from archsearch.spec.arch import Arch
from archsearch.spec.text import from_text
from archsearch.spec.zoo import FAMILIES
from archsearch.spec.zoo.mobilenet_v1 import mobilenet_v1 as mobilenet_v1  # the two that callers take from here
from archsearch.spec.zoo.mobilenet_v2 import mobilenet_v2 as mobilenet_v2


def preset(name: str) -> Arch:
    """The network of a name: `FAMILY[_WIDTH[_RESOLUTION]]`, or the whole name of one that comes in one size.

    raises   SpecError naming the nearest networks, or the part of the name that cannot be read
    """
    known = [family for family in FAMILIES if name == family or name.startswith(family + "_")]
    if not known:
        near = [family for family in FAMILIES if name and family.startswith(name)]
        near += difflib.get_close_matches(name, FAMILIES)
        hint = f"did you mean {' or '.join(map(repr, near[:3]))}? " if near else ""
        raise SpecError(f"no network is called {name!r}; {hint}archsearch space list --zoo shows all names")
    family = max(known, key=len)
    size = name.removeprefix(family)
    if FAMILIES[family].scaled:
        return _sized(family, size)
    if size:
        raise SpecError(f"{name!r} cannot be read; {family} comes in one width and resolution, write {family}")
    return FAMILIES[family].build()


def _sized(family: str, size: str) -> Arch:
    """The network of a family at `_WIDTH_RESOLUTION`, either of which may be left out from behind."""
    match = re.fullmatch(r"(?:_(\d{1,6}(?:\.\d{1,9})?))?(?:_(\d{1,6}))?", size)
    name = family + size
    if match is None or float(match[1] or 1) <= 0:
        raise SpecError(f"{name!r} cannot be read; a preset is {family}_WIDTH_RESOLUTION, like {family}_0.75_192")
    if float(match[1] or 1) >= 10:
        raise SpecError(f"{name!r} has no width below 10; write {family}_1.0_{match[1]} for {match[1]} pixels")
    given = [float(match[1])] if match[1] else []
    return FAMILIES[family].build(*given, *([int(match[2])] if match[2] else []))


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
