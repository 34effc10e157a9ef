"""What authors printed of their networks: the figure, how it was rounded, and which convention it follows."""

import re
from dataclasses import dataclass
from fractions import Fraction

from archsearch.errors import SpecError

UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A printed number, with all that is needed to compare a count with it."""

    text: str  # as printed: digits, then K, M (millions), B (billions) or nothing
    counts: str = "plain"  # the convention: a name in cost/conventions.py
    cut: bool = False  # digits behind the last printed one were cut off; else the number was rounded
    step: int = 1  # worth of the last printed digit: 10 where 590 means "between 585 and 595"
    misprint: str = ""  # why the figure does not follow from the network
    unexplained: str = (
        ""  # where it does not follow either and nobody knows why: what is known. Both empty = it follows
    )

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d+(\.\d+)?[KMB]?", self.text):
            raise SpecError(f"a printed figure is digits and K, M or B, got {self.text!r}")

    @property
    def remark(self) -> str:
        """What is said of a figure that does not follow; empty = it follows."""
        return self.misprint or self.unexplained

    def agrees(self, counted: int) -> bool:
        """Whether `counted`, rounded (or cut) as the authors did, is what they printed; a half may go either way."""
        number, unit = re.fullmatch(r"([\d.]+)([KMB]?)", self.text).groups()  # type: ignore[union-attr]
        digits = len(number.partition(".")[2])
        last = Fraction(UNITS[unit] * self.step, 10**digits)  # worth of the last printed digit
        off = (counted - Fraction(number) * UNITS[unit]) / last
        return 0 <= off < 1 if self.cut else abs(off) <= Fraction(1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One network of one source. `madds` and `params` are None where the source prints none of them."""

    name: str  # a preset
    source: str
    madds: Figure | None = None
    params: Figure | None = None


def rows(
    source: str,
    table: dict[str, tuple[str, str]],
    *,
    madds: Figure | None = None,
    params: Figure | None = None,
    misprints: dict[str, str] | None = None,
    wrong_params: dict[str, str] | None = None,
) -> tuple[Published, ...]:
    """The rows of one source whose figures all follow one convention.

    table      preset -> (MAdds, params) as printed; "" = not printed
    madds      convention and rounding of all MAdds (its text is not looked at); `params` the same
    misprints  preset -> why its MAdds do not follow from the network; `wrong_params` the same of parameters
    """
    odd, odd_params = misprints or {}, wrong_params or {}
    return tuple(
        Published(
            name=name,
            source=source,
            madds=_figure(first, madds, odd.get(name, "")),
            params=_figure(second, params, odd_params.get(name, "")),
        )
        for name, (first, second) in table.items()
    )


def _figure(text: str, like: Figure | None, misprint: str) -> Figure | None:
    if not text:
        return None
    like = like or Figure(text=text)
    return Figure(text=text, counts=like.counts, cut=like.cut, step=like.step, misprint=misprint)
