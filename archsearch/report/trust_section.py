"""The page's section "What to believe": warnings, the front with its groups, the surrogate's worth, gain a trial."""

from collections.abc import Sequence
from typing import Any

from archsearch.report.markup import Markup, table, tag
from archsearch.report.sections import NOTHING, Charts
from archsearch.report.theme import short
from archsearch.report.trust import Checked, checked, findings
from archsearch.report.trust_figures import (
    believed_data,
    believed_plot,
    gain_data,
    gain_plot,
    group_words,
    predicted_plot,
)
from archsearch.report.view import View
from archsearch.surrogate.health import Finding
from archsearch.surrogate.validate import Rank

RANKS = ("order predicted by", "Kendall's tau", "Spearman's rho")
COVERS = ("interval", "inside it")


def trust_section(seen: View, charts: Charts) -> Markup:
    """All of it; with few trials only what can be said."""
    if seen.front.empty:
        return _section(tag("p", NOTHING, class_="empty"))
    told = checked(seen)
    return _section(
        _warnings(findings(seen, told), told),
        _believed(seen, charts),
        _surrogate(told, charts) if told else Markup(""),
        _gain(seen, charts),
    )


def _warnings(found: Sequence[Finding], told: Checked | None) -> Markup:
    if not found:
        also = ", surrogate, edges of the space" if told else "; those of a surrogate could not be made"
        return _note(f"All health checks passed: number of trials, failures, noise, budget{also}.")
    return Markup("".join(tag("p", tag("b", f"{_upper(each.kind)}. "), each.text, class_="warning") for each in found))


def _believed(seen: View, charts: Charts) -> Markup:
    """The front as believed, one figure a cost."""
    shown = []
    for metric in seen.metrics:
        title = f"Believed top-1 against {short(metric)}" if len(seen.metrics) > 1 else "The front as believed"
        shown += [tag("h3", title), charts.add(believed_plot(believed_data(seen.listed, metric=metric), metric=metric))]
    source = (
        f"Measured values alone: {seen.beliefs.why}."
        if seen.beliefs.why
        else "Believed: what a surrogate expects of each network after all trials, its own measurement among them."
    )
    words = (
        f"{source} {group_words(seen.listed['group'].tolist())}: colours and lines join networks that cannot be told "
        "apart, that is, of no two of them the better one is known with 95 % probability; the cheapest of a group is "
        "as good a choice as any. Bars are ± 1 standard deviation. The networks to hand over are the front of the "
        "believed values: the front of the measured ones is made of those that were lucky. p(front) in the table "
        "above is the probability that no other trained network beats this one; “front” says which front it is on."
    )
    return Markup("".join([*shown, _note(words)]))


def _surrogate(told: Checked, charts: Charts) -> Markup:
    """Cross-validation: figure, rank correlations, coverage."""
    n = len(told.predictions)
    ranks = [[name, *map(_interval, pair)] for name, pair in told.ranks.items()]
    beyond = ["surrogate, at equal MAdds", _interval(told.beyond), ""]
    covers = [[f"{100 * level:.0f} %", f"{100 * share:.0f} %"] for level, share in told.coverage.items()]
    words = (
        f"Each of {n} trained networks is predicted by a surrogate that did not see it (ten parts, each left out "
        "once). Correlations: how well the predicted order is the measured one (1 = the same, 0 = chance), with 95 % "
        "bootstrap intervals, beside the order of MAdds; at equal MAdds: what MAdds say taken out of both. Intervals: "
        "the share of measurements inside those predicted, "
        f"which should be that of the name; they hold the noise that the surrogate found. By the misses the noise of "
        f"one measurement is at most {100 * told.noise:.2g} points."
    )
    return Markup("".join([
        tag("h3", "How good the surrogate is"), charts.add(predicted_plot(told.predictions)),
        tag("div", _table(RANKS, [*ranks, beyond]), _table(COVERS, covers), class_="pair"), _note(words),
    ]))  # fmt: skip


def _gain(seen: View, charts: Charts) -> Markup:
    data = gain_data(seen.study)
    if data.empty:
        return Markup("")
    note = _note(
        "What the sampler expected each trial to add to the hypervolume of the front, as a share of it, when it chose "
        "the network. Near zero at the end: the search has found what it can see."
    )
    return Markup("".join([tag("h3", "Expected gain of each trial"), charts.add(gain_plot(data)), note]))


def _section(*children: Any) -> Markup:
    return tag("section", tag("h2", "What to believe"), *children)


def _note(words: str) -> Markup:
    return tag("p", words, class_="note")


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    return table(names, [tag("tr", *(tag("td", cell) for cell in row)) for row in rows], "spaces")


def _interval(rank: Rank) -> str:
    return f"{rank.value:.2f} ({rank.low:.2f} to {rank.high:.2f})"


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]
