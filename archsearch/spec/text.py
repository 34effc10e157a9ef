"""The readable text form of a network, in the block-string notation the field knows.

    r224 stem_c32_k3_s2 ir_r1_k3_s1_e1_c16 ir_r2_k3_s2_e6_c24 ... head_c1280_n1000

Keys as in timm's strings: r repeats, k kernel, s stride, e expansion, c channels, a kernel of the depthwise layer in
front, se squeeze-and-excitation, n<code> activation, noskip. Ours: `linear`/`relu6` bottleneck, `bskip`/`xskip`
(shortcut between bottlenecks/expansions), `sein` (squeezed channels counted from the block's input), `sesig` (sigmoid
gate). A head of another kind is a word of its name: `ssdlite_c1280_n81`. What is left out is default.
"""

import re
from decimal import Decimal
from typing import Any

from archsearch import plugins
from archsearch.errors import SpecError, choices
from archsearch.spec.arch import Arch, Head, Stage, Stem

ACT_CODES = {"relu6": "nr6", "relu": "nre", "hard_swish": "nhs", "silu": "nsw", "linear": "nid"}
SHORTCUT_CODES = {"none": "noskip", "expansion": "xskip", "bottleneck": "bskip"}
NUMBERS = {"r": "repeats", "k": "kernel", "s": "stride", "e": "expand", "c": "width", "n": "classes", "a": "start",
           "se": "se", "h": "hidden", "o": "output_stride"}  # fmt: skip
FRACTIONS = ("e", "se")  # numbers that need not be whole
STEM, STAGE, HEAD = ("c", "k", "s"), ("r", "k", "s", "e", "c", "a", "se"), ("c", "h", "n", "o")
WORDS: dict[str, tuple[str, str]] = {
    **{code: ("act", act) for act, code in ACT_CODES.items()},
    **{code: ("shortcut", place) for place, code in SHORTCUT_CODES.items()},
    "linear": ("bottleneck", "linear"),
    "relu6": ("bottleneck", "relu6"),
    "sein": ("se_of", "input"),
    "sesig": ("se_gate", "sigmoid"),
}


def to_text(arch: Arch) -> str:
    """One line; `from_text` reads it back to an equal `Arch`."""
    stem = f"stem_c{arch.stem.width}_k{arch.stem.kernel}_s{arch.stem.stride}{_act(arch.stem.act)}"
    return " ".join([f"r{arch.resolution}", stem, *map(stage_text, arch.stages), head_text(arch.head)])


def head_text(head: Head) -> str:
    """The head as one word: `head_c1280_n1000` for a classifier."""
    words = ["head" if head.kind == "classifier" else head.kind, f"c{head.width}"]
    words += [f"h{head.hidden}"] if head.hidden else []
    words += ["hnorm"] if head.hidden_norm else []
    words += [f"o{head.output_stride}"] if head.output_stride else []
    return "_".join([*words, f"n{head.classes}"]) + _act(head.act)


def stage_text(stage: Stage) -> str:
    """One stage as a block string: `ir_r2_k3_s2_e6_c24`."""
    words = [stage.block, f"r{stage.repeats}"]
    words += [f"a{stage.start}"] if stage.start else []
    words += [f"k{stage.kernel}", f"s{stage.stride}", f"e{_decimal(stage.expand)}", f"c{stage.width}"]
    words += [f"se{_decimal(stage.se)}"] if stage.se else []
    words += ["sein"] if stage.se_of == "input" else []
    words += ["sesig"] if stage.se_gate == "sigmoid" else []
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
        part = "stem" if name == "stem" else "head" if name in _heads() else "stage"
        if part == "stage":
            stages.append(stage_from_text(token))
        elif part in parts:
            raise SpecError(f"the text form has two {part}s: {token!r}")
        elif part == "stem":
            parts[part] = Stem(**_fields(token, STEM))
        else:
            parts[part] = Head(kind=_heads()[name], **_fields(token, HEAD))
    return Arch(resolution=int(tokens[0][1:]), stages=tuple(stages), **parts)


def _heads() -> dict[str, str]:
    """Word of the text form -> kind of head."""
    return {"head" if kind == "classifier" else kind: kind for kind in plugins.names("heads")}


def stage_from_text(token: str) -> Stage:
    """One stage from its block string; `c` must be given."""
    values = block_fields(token)
    if "width" not in values:
        raise SpecError(f"block string {token!r} has no channels; add them like _c24")
    return Stage(**values)


def block_fields(token: str) -> dict[str, Any]:
    """The `Stage` fields that a block string sets: `ir_k5_e6` -> block, kernel, expand."""
    return {"block": token.partition("_")[0], **_fields(token, STAGE)}


def _fields(token: str, letters: tuple[str, ...]) -> dict[str, Any]:
    """Fields set by the words behind the first; `letters` are the number keys allowed here."""
    values: dict[str, Any] = {}
    for word in token.split("_")[1:]:
        name, value = _field(word, letters, token)
        if name in values:
            raise SpecError(f"{token!r} sets {name} twice, the second time by {word!r}")
        values[name] = value
    return values


def _field(word: str, letters: tuple[str, ...], token: str) -> tuple[str, Any]:
    words: dict[str, tuple[str, Any]] = {
        code: pair for code, pair in WORDS.items() if pair[0] == "act" or letters is STAGE
    }
    words |= {"hnorm": ("hidden_norm", True)} if letters is HEAD else {}
    if word in words:
        return words[word]
    match = re.fullmatch(r"([a-z]+)(\d{1,9})(\.\d{1,40})?", word)
    if match and match[1] in letters and (match[3] is None or match[1] in FRACTIONS):
        return NUMBERS[match[1]], int(match[2]) if match[3] is None else float(match[2] + match[3])
    known = [*(f"{letter}<number>" for letter in letters), *words]
    raise SpecError(f"{token!r} has an unknown word {word!r}; {choices(word, known)}")


def _decimal(number: float) -> str:
    """A number without an exponent; reading it gives the same number."""
    return format(Decimal(repr(number)), "f")


def _act(act: str) -> str:
    return "" if act == "relu6" else f"_{ACT_CODES[act]}"
