"""How latencies look on a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsearch.measure.method import Measurement

BARS = " ▁▂▃▄▅▆▇█"


def print_measured(found: "Sequence[Measurement]", *, memory: bool = False) -> None:
    """One row a network, with a small picture of its runs."""
    from archsearch.cli.show import console, table
    from archsearch.cost.budget import show

    names = ["network", "ms", "95 % interval", "raw median", "quartiles", "visits", "runs", "drifted", "distribution"]
    rows = []
    for made in found:
        row = [made.name, f"{made.ms:.4g}", f"{made.low:.4g} .. {made.high:.4g}", f"{made.raw_ms:.4g}",
               f"{made.q25_ms:.4g} .. {made.q75_ms:.4g}", str(made.visits), str(made.runs), str(made.repeated),
               picture(made.bins)]  # fmt: skip
        told = "-" if made.memory_bytes is None else show(made.memory_bytes, "peak_memory")
        rows.append([*row, told] if memory else row)
    console().print(table([*names, *(["peak memory"] if memory else [])], rows, left=(0, 8)))
    for note in notes(found):
        console(error=True).print(note, style="yellow", markup=False, soft_wrap=True)


def notes(found: "Sequence[Measurement]") -> list[str]:
    """What to know before these numbers are used."""
    from archsearch.measure.pinning import BUSY

    told = []
    wide = [made.name for made in found if not made.precise]
    if wide:
        told.append(f"not as exact as asked for: {', '.join(wide)}; --most allows more visits")
    loose = [made.name for made in found if not made.settled]
    if loose:
        told.append(f"did not settle while warming up: {', '.join(loose)}")
    busy = max((made.foreign_load or 0.0 for made in found), default=0.0)
    if busy > BUSY:
        told.append(f"other processes kept {busy:.1f} cores busy meanwhile: measure again on a quiet machine")
    return told


def picture(bins: Sequence[int]) -> str:
    """Counts as a line of bars: the fastest run left, what took longer to the right."""
    most = max(bins, default=0) or 1
    return "".join(BARS[-(-each * (len(BARS) - 1) // most)] for each in bins)


def print_judged(found: Mapping[str, Any]) -> None:
    """The scores of a verification: the table, other predictors, and what a second measurement achieves."""
    from archsearch.cli.show import console, table

    names = ["predictor", "mean error", "within 5 %", "10 %", "15 %", "worst", "tau", "tau at equal MAdds"]
    rows = [[each["name"], _percent(each["error"]), *(_percent(share, 0) for share in each["within"].values()),
             _percent(each["worst"]), _number(each["tau"]), _number(each["band_tau"])]
            for each in found["scores"]]  # fmt: skip
    out = console()
    out.print(table(names, rows))
    out.print(
        f"{found['networks']} networks that the table never saw, measured whole; tau at equal MAdds: of the "
        f"{found['band_pairs']} pairs within 15 % of MAdds; {100 * found['cover']:.0f} % keep to the table's upper end",
        style="dim", soft_wrap=True, markup=False,
    )  # fmt: skip
    for name, (gain, low, high) in found["band_gain"].items():
        known = None not in (gain, low, high)
        told = f"{gain:+.2f} (95 % interval {low:+.2f} .. {high:+.2f})" if known else "-"
        out.print(f"  at equal MAdds the table ranks better than {name} alone by {told}", style="dim", markup=False)
    verdict = "passed: it may be a constraint" if found["passed"] else "failed: " + "; ".join(found["why_not"])
    out.print(verdict, style="green" if found["passed"] else "red", markup=False, soft_wrap=True)


def _percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
