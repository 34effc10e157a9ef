"""Everything that an ablation tells, as plain values: what `--json` prints and the page is made of."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from archsearch.ablate import statistics as st
from archsearch.ablate.anova import anova
from archsearch.ablate.contrasts import contrast, cost, seed_contrasts, sides
from archsearch.ablate.design import Design
from archsearch.ablate.groups import bands, trend, widths
from archsearch.ablate.outcome import Floats, Outcome
from archsearch.ablate.power import pairs_needed, smallest, split


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """One level beside its factor's base."""

    factor: int
    level: int
    differences: Floats  # float[pairs]
    by_seed: Floats  # the same for each seed, float[pairs, seeds]
    found: st.Effect


@dataclass(frozen=True, kw_only=True)
class _Tests:
    """The p values of a comparison's t and signed rank test, corrected by Holm's method for the number of them."""

    p: float
    rank: float
    number: int  # of comparisons

    @property
    def holm(self) -> float | None:
        """What the verdict asks for; None where there is one comparison only."""
        return self.p if self.number > 1 else None

    @property
    def alpha(self) -> float:
        """The strictest level that Holm's method asks for."""
        return st.ALPHA / self.number


def document(made: Outcome, design: Design, *, seed: int) -> dict[str, Any]:
    """What the trainings show.

    seed     of the bootstrap
    """
    rng = np.random.default_rng([seed, 6])
    compared = [_compared(made, number, level, rng) for number, each in enumerate(design.factors)
                for level in range(1, len(each.levels))]  # fmt: skip
    holm = st.holm([each.found.p for each in compared])
    ranks = st.holm([each.found.wilcoxon for each in compared])
    told = [_told(made, design, each, _Tests(p=p, rank=rank, number=len(compared)), rng)
            for each, p, rank in zip(compared, holm, ranks, strict=True)]  # fmt: skip
    terms = anova(made.top1, made.treatments, [each.name for each in design.factors]) if len(design.factors) > 1 else []
    told_of: dict[str, Any] = plain({
        "design": design.name, "about": design.about, "match": design.match,
        "factors": [each.to_dict() for each in design.factors], "pairs": len(made.numbers),
        "failed": list(made.failed), "comparisons": told,
        "anova": [{"term": term.name, **asdict(term)} for term in terms],
        "interactions": [{"term": term.name, **asdict(term)} for term in terms if term.order > 1],
        "verdicts": [(f"{each['factor']}: " if terms else "") + each["sentence"] for each in told]
        + [_joint(term) for term in terms if term.order > 1],
    })  # fmt: skip
    return told_of


def _compared(made: Outcome, factor: int, level: int, rng: np.random.Generator) -> Compared:
    differences = contrast(made.top1, made.treatments, factor, level)
    by_seed = seed_contrasts(made.top1, made.treatments, factor, level)
    return Compared(factor=factor, level=level, differences=differences, by_seed=by_seed,
                    found=st.effect(differences, rng))  # fmt: skip


def _told(
    made: Outcome, design: Design, each: Compared, tests: _Tests, rng: np.random.Generator
) -> dict[str, Any]:  # fmt: skip
    """One comparison."""
    factor, found, differences = design.factors[each.factor], each.found, each.differences
    base, level = factor.levels[0].name, factor.levels[each.level].name
    shown, least = st.shown(found, tests.holm), smallest(each.by_seed, alpha=tests.alpha)
    low, high = st.unpaired(*sides(made.top1, made.treatments, each.factor, each.level), rng)
    madds, seeds = cost(made.madds), each.by_seed.shape[1]
    return {
        "factor": factor.name, "base": base, "level": level, **asdict(found),
        "p_holm": tests.p, "wilcoxon_holm": tests.rank,
        "unpaired_low": low, "unpaired_high": high,
        "narrower": (high - low) / (found.high - found.low) if found.high > found.low else math.nan,
        "shown": shown, "needed": None if shown else _needed(found, tests.alpha),
        "sentence": st.sentence(base, level, found, shown=shown, seeds=seeds, smallest=least.now),
        "smallest": asdict(least), "noise": split(each.by_seed).noise,
        "bands": [asdict(group) for group in bands(differences, madds, rng)],
        "widths": [asdict(group) for group in widths(differences, made.width, rng)],
        "trend": asdict(line) if (line := trend(differences, madds)) is not None else None,
    }  # fmt: skip


def _needed(found: st.Effect, alpha: float) -> int | None:
    """Pairs that would show an effect as large as the one seen, with 80 % power; None where no number is known.

    More than there are: what has power of 80 % with these is shown but for the odd interval, and needs no more pairs.
    """
    pairs = pairs_needed(found.mean, found.sd, alpha=alpha)
    return pairs if pairs is not None and pairs > found.pairs else None


def _joint(term: Any) -> str:
    """What the interaction of two factors says."""
    if not term.estimable:
        return f"{term.name}: cannot be told from other terms in these treatments"
    if math.isnan(term.p):
        return f"{term.name}: nothing is left to tell its error from"
    verdict = "shown" if term.p_holm < st.ALPHA else "not shown"
    error = "; error of all terms together" if term.error == "pooled" else ""
    test = f"F({term.df}, {term.df_error}) = {term.f:.2f}, p = {term.p_holm:.3g} (Holm{error})"
    return f"{term.name}: {test}: {verdict}"


def plain(value: Any) -> Any:
    """The same with None where a number is not finite, and Python's own numbers."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
