"""An ablation in words: the cells of its table, what the numbers are of, what such a run can and cannot show."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from archsearch.report.ablation_data import cost_ratios
from archsearch.report.ablation_figures import interval, minus
from archsearch.report.summary import MADE_UP
from archsearch.report.theme import scaled, short

COLUMNS = (
    "comparison", "mean", "95 % interval", "higher in", "p", "p (Holm)", "Wilcoxon (Holm)", "smallest", "verdict",
)  # fmt: skip
INTERACTIONS = ("term", "F", "p", "p (Holm)", "partial eta squared", "verdict")
DASH = "-"
LEVEL = 0.05  # of tests
FEW = 12  # pairs below which an interval is a rough one
EQUAL = 0.005  # what a ratio of MAdds may be off one


def cells(comparison: Mapping[str, Any]) -> list[str]:
    """One comparison for reading, a text for each of COLUMNS; a dash where something is not known. Unit: points."""
    smallest = (comparison.get("smallest") or {}).get("now")
    return [
        f"{comparison['factor']}: {minus(comparison)}", signed(comparison.get("mean")),
        _span(comparison), _wins(comparison), *(p_value(comparison.get(name)) for name in ("p", "p_holm")),
        p_value(comparison.get("wilcoxon_holm")), size(smallest), verdict(comparison.get("shown")),
    ]  # fmt: skip


def verdict(shown: object) -> str:
    """Said as plainly either way."""
    return "shown" if shown else "not shown"


def interaction_cells(term: Mapping[str, Any]) -> list[str]:
    """One factor or interaction for reading, a text for each of INTERACTIONS; a dash where something is not known."""
    p_holm, eta = term.get("p_holm"), term.get("eta")
    if term.get("estimable") is False:
        return [term["term"], "not estimable", DASH, DASH, DASH, verdict(False)]
    test = DASH if term.get("f") is None else f"{term['f']:.2f} ({term['df']}, {term['df_error']})"
    return [
        term["term"], test, p_value(term.get("p")), p_value(p_holm), DASH if eta is None else f"{eta:.3f}",
        verdict(p_holm is not None and p_holm < LEVEL),
    ]  # fmt: skip


def errors_of(terms: Sequence[Mapping[str, Any]]) -> str:
    """What the F tests of these terms hold each effect against."""
    kinds = {term.get("error", "pooled") for term in terms if term.get("f") is not None}
    told = {
        "own": "each effect against what it varies by from pair to pair, p corrected after Greenhouse and Geisser",
        "pooled": "analysis of variance with pairs as blocks (type II), one error for all effects",
    }
    known = [words for kind, words in told.items() if kind in kinds]
    return f" F: {'; or '.join(known)}." if known else ""


def signed(value: float | None) -> str:
    """A difference of top-1 in points, with its sign."""
    return DASH if value is None else f"{100 * value:+.2f}"


def size(value: float | None) -> str:
    """A size in points."""
    return DASH if value is None else f"{100 * value:.2f}"


def p_value(value: float | None) -> str:
    """A p value; tiny ones by their power of ten."""
    return DASH if value is None else f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def _span(row: Mapping[str, Any]) -> str:
    return DASH if row.get("low") is None else f"{signed(row['low'])} to {signed(row['high'])}"


def _wins(row: Mapping[str, Any]) -> str:
    """`3 of 30`, and how many were equal."""
    if row.get("wins") is None:
        return DASH
    ties = f", {row['ties']} equal" if row.get("ties") else ""
    return f"{row['wins']} of {row['wins'] + (row.get('losses') or 0) + (row.get('ties') or 0)}{ties}"


def notes(told: Mapping[str, Any]) -> list[str]:
    """What the numbers are of; of each comparison what pairing brought, what more would bring, and its parts."""
    lost = told["asked"] - told["pairs"]
    lines = [
        f"{count(told['pairs'], 'pair')}"
        + (f" ({lost} of {told['asked']} without a result)" if lost else "")
        + f", {count(told['seeds'], 'seed')} each"
        + (f", {count(len(told['failed']), 'training')} failed" if told["failed"] else "")
        + (f"; NOT FINISHED: {told['trainings']} of {told['planned']} trainings" if unfinished(told) else "")
        + "; differences are points of top-1, level minus base, in networks that are alike but for it."
    ]
    for each in told["comparisons"]:
        lines += [f"{named(told, each)}: {'; '.join(words)}." for words in (_worth(each), _by_kind(each)) if words]
    return lines


def unfinished(told: Mapping[str, Any]) -> bool:
    """Whether trainings of the plan are missing; then some pairs have fewer seeds than the others, or no result."""
    return told.get("trainings", 0) < told.get("planned", 0)


def named(told: Mapping[str, Any], each: Mapping[str, Any]) -> str:
    """What a comparison is of: `relu6 minus linear`; with its factor where there are several."""
    return minus(each) if len(told["factors"]) == 1 else f"{each['factor']}: {minus(each)}"


def _worth(each: Mapping[str, Any]) -> list[str]:
    """What pairing brought for one comparison, its noise, and what more pairs or seeds would show."""
    smallest, lines = each.get("smallest") or {}, []
    now, pairs, seeds = (smallest.get(which) for which in ("now", "twice_pairs", "twice_seeds"))
    if each.get("needed") is not None and not each.get("shown"):
        lines.append(f"about {count(each['needed'], 'pair')} would show an effect of this size "
                     f"({signed(each['mean'])} points)")  # fmt: skip
    if now is not None:
        lines.append(f"smallest effect shown with 80 % power {size(now)} points")
    if now is not None and pairs is not None:
        more = f", with twice the seeds {size(seeds)}" if seeds is not None else ""
        lines.append(f"with twice the pairs {size(pairs)}{more}")
    if each.get("narrower") is not None:
        lines.append(f"without pairs the interval would be {each['narrower']:.1f} times as wide")
    if each.get("noise") is not None:
        lines.append(f"another seed changes one pair's difference by {size(each['noise'])} points (standard deviation)")
    return lines


def _by_kind(each: Mapping[str, Any]) -> list[str]:
    """The effect by MAdds, by width, and its trend, where they are known."""
    lines = []
    for kind, parts in (("MAdds", each.get("bands")), ("width", each.get("widths"))):
        known = [part for part in parts or [] if part.get("mean") is not None]
        if len(known) > 1:
            places = [part["name"].removesuffix(" MAdds").removeprefix("width ") for part in known]
            texts = [f"{interval(part)} ({place})" for part, place in zip(known, places, strict=True)]
            lines.append(f"by {kind}: {', '.join(texts)}")
    trend = each.get("trend") or {}
    if trend.get("slope") is not None:
        lines.append(f"change per doubling of MAdds {interval(trend | {'mean': trend['slope']})}")
    return lines


def limits(told: Mapping[str, Any], networks: pd.DataFrame | None = None) -> list[str]:
    """What such a run can and cannot show, from its own numbers; one sentence or two each.

    networks as `ablation_data.networks_data` makes it, to tell by how much costs differ
    """
    return [line for line in (_training(told), _space(told), _power(told), _noise(told), _cost(told, networks),
                              _fraction(told), _losses(told), _parts(told)) if line]  # fmt: skip


def count(number: int, word: str) -> str:
    """`1 pair`, `30 pairs`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def made_up(told: Mapping[str, Any]) -> bool:
    """Whether a formula gave the accuracies, and no training."""
    return told.get("evaluator") in MADE_UP


def _training(told: Mapping[str, Any]) -> str:
    if made_up(told):
        return "A formula with made-up noise gave the accuracies: they show how an ablation works, and nothing else."
    return (
        f"Each network was trained for {count(told['epochs'], 'epoch')} of {count(told['images'], 'image')} by recipe "
        f"{told['recipe']}. That says nothing about a full training: a choice that learns faster is not always the one "
        "that ends higher. No level got a learning rate of its own: one that needs another recipe is at a disadvantage."
    )


def _space(told: Mapping[str, Any]) -> str:
    budget = ", ".join(f"{short(name)} {text}" for name, text in told["budgets"].items())
    within = f" within {budget}" if budget else ""
    return (
        f"The mean is over random networks of {told['space']}{within}, on {told['data'] or 'no images'}: not over "
        "other spaces, larger networks or other images, and not over the best networks, which a search would find."
    )


def _power(told: Mapping[str, Any]) -> str:
    """What would have been overlooked."""
    known = [each for each in told["comparisons"] if (each.get("smallest") or {}).get("now") is not None]
    words = "; ".join(f"{named(told, each)} ({size(each['smallest']['now'])} points)" for each in known)
    rough = f" With {count(told['pairs'], 'pair')} the intervals themselves are rough." if told["pairs"] < FEW else ""
    if not known:
        return f"What is not shown is not shown to be absent.{rough}"
    return (
        "What is not shown is not shown to be absent: a true effect smaller than this is overlooked in one such run of "
        f"five or more: {words}.{rough}"
    )


def _noise(told: Mapping[str, Any]) -> str:
    if told["seeds"] == 1:
        return (
            "With one seed, a single pair's difference may be luck of its weights and data order; only means over "
            "pairs can be relied on, and how much is luck is not known (--seeds 2 tells)."
        )
    return f"{count(told['seeds'], 'seed')} a network: bars at single pairs are one standard error over them."


def _cost(told: Mapping[str, Any], networks: pd.DataFrame | None) -> str:
    """Whether a difference may be one of cost, from the MAdds of the networks where they are known."""
    if told["match"] == "madds":
        return "Networks of a pair were made to cost the same MAdds; so they may differ in width, and in parameters."
    if networks is None or networks.empty:
        return "Networks of a pair were not matched in cost: where MAdds differ, part of a difference may be the cost."
    dearer = []
    for each in told["comparisons"]:
        ratios = cost_ratios(networks, each["factor"], each["base"], each["level"])
        if len(ratios) and abs(ratios - 1).max() > EQUAL:
            ends = dict.fromkeys((f"{ratios.min():.2f}", f"{ratios.max():.2f}"))
            dearer.append(f"{named(told, each)} ({' to '.join(ends)} times the MAdds)")
    if not dearer:
        return (
            f"Networks of a pair cost the same MAdds within {100 * EQUAL:g} %: no difference comes from more of them."
        )
    return (
        f"Networks of a pair were not matched in cost, and part of a difference may be the cost: {'; '.join(dearer)}."
    )


def _fraction(told: Mapping[str, Any]) -> str:
    if told.get("fraction") in (None, 1):
        return ""
    return (
        f"Each pair got one in {told['fraction']} of the combinations of levels: effects rest on fewer networks, and "
        "some interactions cannot be told from each other."
    )


def _losses(told: Mapping[str, Any]) -> str:
    if not told["failed"]:
        return ""
    return (
        f"Trainings that failed ({len(told['failed']):,}) count for no level. If one level fails more often, that "
        "is a result too, and the mean is over the pairs that did not."
    )


def _parts(told: Mapping[str, Any]) -> str:
    if not any(each.get("bands") or each.get("widths") for each in told["comparisons"]):
        return ""
    return (
        "Parts of the pairs (bands of MAdds, widths) and trends were looked at after the fact, without a correction "
        "for their number: they are hints for the next run."
    )


def range_words(low: float, high: float) -> str:
    """`1.2M to 6M MAdds`."""
    ends = dict.fromkeys((scaled("madds", low), scaled("madds", high)))
    return f"{' to '.join(ends)} MAdds"
