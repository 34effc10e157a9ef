"""Published figures of the zoo beside our counts: who agrees, who does not, and why."""

from dataclasses import dataclass

from archsearch.cost.conventions import counted
from archsearch.spec.lower import lower
from archsearch.spec.presets import preset
from archsearch.spec.zoo import ROWS
from archsearch.spec.zoo.published import Figure, Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A printed figure and the count under the same convention."""

    figure: Figure
    count: int

    @property
    def agrees(self) -> bool:
        """Whether the count gives the printed figure at its rounding."""
        return self.figure.agrees(self.count)

    @property
    def in_order(self) -> bool:
        """Whether it agrees, or is known not to; a "misprint" that agrees is not in order."""
        return self.agrees != bool(self.figure.remark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the zoo's table: our own counts, and the printed figures compared under their conventions."""

    published: Published
    costs: dict[str, int]  # "madds" and "params" as archsearch counts
    compared: dict[str, Compared]  # for each of the two that is printed

    @property
    def verdict(self) -> str:
        """ "yes", "misprint" or "unexplained" (both known and documented), "no", or "-" where nothing is printed."""
        if not all(each.in_order for each in self.compared.values()):
            return "no"
        if any(each.figure.unexplained for each in self.compared.values()):
            return "unexplained"
        if any(each.figure.misprint for each in self.compared.values()):
            return "misprint"
        return "yes" if self.compared else "-"


def compare(published: Published) -> Row:
    """One row, counted."""
    arch = preset(published.name)
    ops = lower(arch)
    figures = {"madds": published.madds, "params": published.params}
    compared = {
        metric: Compared(figure=figure, count=counted(arch, metric, figure.counts, ops=ops))
        for metric, figure in figures.items()
        if figure is not None
    }
    costs = {metric: counted(arch, metric, "plain", ops=ops) for metric in figures}
    return Row(published=published, costs=costs, compared=compared)


def zoo_rows() -> list[Row]:
    """All rows of the zoo, counted."""
    return [compare(published) for published in ROWS]
