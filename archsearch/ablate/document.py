"""Everything that an ablation tells, as plain values: what `--json` prints and the page is made of."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from archsearch.ablate import statistics as st
from archsearch.ablate.anova import anova
from archsearch.ablate.contrasts import cost, mean, seed_contrasts, sides
from archsearch.ablate.design import Design
from archsearch.ablate.groups import bands, trend, widths
from archsearch.ablate.outcome import Floats, Outcome
from archsearch.ablate.power import smallest, split


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """One level beside its factor's base."""

    factor: int
    level: int
    found: st.Effect
    by_seed: Floats  # differences, float[pairs, seeds]


def document(made: Outcome, design: Design, *, seed: int) -> dict[str, Any]:
    """What the trainings show.

    seed     of the bootstrap
    """
    rng = np.random.default_rng([seed, 6])
    compared = [_compared(made, number, level, rng) for number, each in enumerate(design.factors)
                for level in range(1, len(each.levels))]  # fmt: skip
    holm = st.holm([each.found.p for each in compared])
    ranks = st.holm([each.found.wilcoxon for each in compared])
    told = [_told(made, design, each, (p, rank) if len(compared) > 1 else None, rng)
            for each, p, rank in zip(compared, holm, ranks, strict=True)]  # fmt: skip
    terms = anova(made.top1, made.treatments, [each.name for each in design.factors]) if len(design.factors) > 1 else []
    told_of: dict[str, Any] = plain({
        "design": design.name, "about": design.about, "match": design.match,
        "factors": [each.to_dict() for each in design.factors], "pairs": len(made.numbers),
        "failed": list(made.failed), "comparisons": told,
        "anova": [{"term": term.name, **asdict(term)} for term in terms],
        "interactions": [{"term": term.name, **asdict(term)} for term in terms if term.order > 1],
        "verdicts": [each["sentence"] for each in told] + [_joint(term) for term in terms if term.order > 1],
    })  # fmt: skip
    return told_of


def _compared(made: Outcome, factor: int, level: int, rng: np.random.Generator) -> Compared:
    by_seed = seed_contrasts(made.top1, made.treatments, factor, level)
    return Compared(factor=factor, level=level, found=st.effect(mean(by_seed, axis=1), rng), by_seed=by_seed)


def _told(
    made: Outcome, design: Design, each: Compared, holm: tuple[float, float] | None, rng: np.random.Generator
) -> dict[str, Any]:  # fmt: skip
    """One comparison.

    holm     the p values of t and signed rank test, corrected; None where this is the only comparison
    """
    factor, found, differences = design.factors[each.factor], each.found, mean(each.by_seed, axis=1)
    base, level = factor.levels[0].name, factor.levels[each.level].name
    shown, least = st.shown(found, holm[0] if holm else None), smallest(each.by_seed)
    low, high = st.unpaired(*sides(made.top1, made.treatments, each.factor, each.level), rng)
    madds, seeds = cost(made.madds), each.by_seed.shape[1]
    return {
        "factor": factor.name, "base": base, "level": level, **asdict(found),
        "p_holm": holm[0] if holm else found.p, "wilcoxon_holm": holm[1] if holm else found.wilcoxon,
        "unpaired_low": low, "unpaired_high": high,
        "narrower": (high - low) / (found.high - found.low) if found.high > found.low else math.nan,
        "shown": shown,
        "sentence": st.sentence(base, level, found, shown=shown, seeds=seeds, smallest=least.now),
        "smallest": asdict(least), "noise": split(each.by_seed).noise,
        "bands": [asdict(group) for group in bands(differences, madds, rng)],
        "widths": [asdict(group) for group in widths(differences, made.width, rng)],
        "trend": asdict(line) if (line := trend(differences, madds)) is not None else None,
    }  # fmt: skip


def _joint(term: Any) -> str:
    """What the interaction of two factors says."""
    if not term.estimable:
        return f"{term.name}: cannot be told from other terms in these treatments"
    if math.isnan(term.p):
        return f"{term.name}: nothing is left to tell its error from"
    verdict = "shown" if term.p_holm < st.ALPHA else "not shown"
    return f"{term.name}: F({term.df}, {term.df_error}) = {term.f:.2f}, p = {term.p_holm:.3g} (Holm): {verdict}"


def plain(value: Any) -> Any:
    """The same with None where a number is not finite, and Python's own numbers."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
