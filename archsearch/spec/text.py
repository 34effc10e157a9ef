"""The readable text form of a network, in the block-string notation the field knows.

    r224 stem_c32_k3_s2 ir_r1_k3_s1_e1_c16 ir_r2_k3_s2_e6_c24 ... head_c1280_n1000

Keys as in timm's strings: r repeats, k kernel, s stride, e expansion, c channels, n<code> activation, noskip. Ours:
`linear`/`relu6` bottleneck, `bskip`/`xskip` (shortcut between bottlenecks/expansions). What is left out is default.
"""

import re
from typing import Any

from archsearch.errors import SpecError, choices
from archsearch.spec.arch import Arch, Head, Stage, Stem

ACT_CODES = {"relu6": "nr6", "relu": "nre", "hard_swish": "nhs", "silu": "nsw", "linear": "nid"}
SHORTCUT_CODES = {"none": "noskip", "expansion": "xskip", "bottleneck": "bskip"}
NUMBERS = {"r": "repeats", "k": "kernel", "s": "stride", "e": "expand", "c": "width", "n": "classes"}
WORDS: dict[str, tuple[str, str]] = {
    **{code: ("act", act) for act, code in ACT_CODES.items()},
    **{code: ("shortcut", place) for place, code in SHORTCUT_CODES.items()},
    "linear": ("bottleneck", "linear"),
    "relu6": ("bottleneck", "relu6"),
}
PARTS: dict[str, tuple[type[Any], str]] = {"stem": (Stem, "cks"), "head": (Head, "cn")}


def to_text(arch: Arch) -> str:
    """One line; `from_text` reads it back to an equal `Arch`."""
    stem = f"stem_c{arch.stem.width}_k{arch.stem.kernel}_s{arch.stem.stride}{_act(arch.stem.act)}"
    head = f"head_c{arch.head.width}_n{arch.head.classes}{_act(arch.head.act)}"
    return " ".join([f"r{arch.resolution}", stem, *map(stage_text, arch.stages), head])


def stage_text(stage: Stage) -> str:
    """One stage as a block string: `ir_r2_k3_s2_e6_c24`."""
    words = [f"{stage.block}_r{stage.repeats}_k{stage.kernel}_s{stage.stride}_e{stage.expand}_c{stage.width}"]
    words += [] if stage.bottleneck == "auto" else [stage.bottleneck]
    words += [] if stage.shortcut == "auto" else [SHORTCUT_CODES[stage.shortcut]]
    return "_".join(words) + _act(stage.act)


def from_text(text: str) -> Arch:
    """The network that a text form names.

    raises   SpecError naming the token and what would be right
    """
    tokens = text.split()
    if not tokens or not re.fullmatch(r"r\d{1,9}", tokens[0]):
        raise SpecError(f"a text form starts with the resolution, like r224, got {text[:40]!r}")
    parts: dict[str, Any] = {}
    stages = []
    for token in tokens[1:]:
        name = token.partition("_")[0]
        if name not in PARTS:
            stages.append(stage_from_text(token))
        elif name in parts:
            raise SpecError(f"the text form has two {name}s: {token!r}")
        else:
            cls, letters = PARTS[name]
            parts[name] = cls(**_fields(token, letters))
    return Arch(resolution=int(tokens[0][1:]), stages=tuple(stages), **parts)


def stage_from_text(token: str) -> Stage:
    """One stage from its block string; `c` must be given."""
    values = block_fields(token)
    if "width" not in values:
        raise SpecError(f"block string {token!r} has no channels; add them like _c24")
    return Stage(**values)


def block_fields(token: str) -> dict[str, Any]:
    """The `Stage` fields that a block string sets: `ir_k5_e6` -> block, kernel, expand."""
    return {"block": token.partition("_")[0], **_fields(token, "rksec")}


def _fields(token: str, letters: str) -> dict[str, Any]:
    """Fields set by the words behind the first; `letters` are the number keys allowed here."""
    values: dict[str, Any] = {}
    for word in token.split("_")[1:]:
        name, value = _field(word, letters, token)
        if name in values:
            raise SpecError(f"{token!r} sets {name} twice, the second time by {word!r}")
        values[name] = value
    return values


def _field(word: str, letters: str, token: str) -> tuple[str, Any]:
    words = {code: pair for code, pair in WORDS.items() if pair[0] == "act" or "r" in letters}  # r: it is a stage
    if word in words:
        return words[word]
    if re.fullmatch(r"[a-z]\d{1,9}", word) and word[0] in letters:
        return NUMBERS[word[0]], int(word[1:])
    known = [*(f"{letter}<number>" for letter in letters), *words]
    raise SpecError(f"{token!r} has an unknown word {word!r}; {choices(word, known)}")


def _act(act: str) -> str:
    return "" if act == "relu6" else f"_{ACT_CODES[act]}"
