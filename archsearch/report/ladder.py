"""A run with a budget ladder: the network believed best within each rung."""

import numpy as np
import optuna
import pandas as pd

from archsearch.cost.ladder import best_within
from archsearch.records import LADDER
from archsearch.report.frame import candidates, objectives_of
from archsearch.report.markup import Markup, table, tag
from archsearch.report.theme import percent, scaled, short
from archsearch.report.timed import worst
from archsearch.report.view import View

HEAD = ("validation top-1", "believed", "test top-1")
OTHERS = ("madds", "params", "peak_memory")  # costs that are shown behind; the metric of the rungs stands in front


def rungs_of(study: optuna.Study) -> list[float]:
    """The rungs of a run's ladder, rising; [] where it has none."""
    return list(study.user_attrs.get(LADDER, []))


def ladder_metric(study: optuna.Study) -> str:
    """The metric that the rungs limit: the first one that is minimised."""
    return [*objectives_of(study), "madds"][1]


def ladder_frame(seen: View) -> pd.DataFrame:
    """One row a rung: `budget`, then the trial's columns and `believed`, `believed_sd`.

    All but the budget is missing where no network within the rung was trained. Without a surrogate the belief is what
    was measured.
    """
    rungs = rungs_of(seen.study)
    told = seen.beliefs.table[["believed", "believed_sd"]]
    known = candidates(seen.frame, seen.budgets).merge(told, left_on="number", right_index=True)
    known = known.reset_index(drop=True)
    rows = best_within(rungs, worst(known, ladder_metric(seen.study)), known["believed"])
    best = known.reindex([row if row >= 0 else -1 for row in rows]).reset_index(drop=True)
    best.insert(0, "budget", np.array(rungs, dtype=float))
    return best


def handed_over(seen: View) -> pd.DataFrame:
    """The networks that a run hands over, each once: the winners of its rungs, or of a run without a ladder its front
    as believed."""
    if rungs_of(seen.study):
        return ladder_frame(seen).dropna(subset="number").drop_duplicates("number")
    return seen.listed[seen.listed["handed_over"].astype(bool)]


def ladder_section(seen: View) -> Markup:
    """The rungs as a table; nothing for a run without a ladder."""
    rungs = rungs_of(seen.study)
    if not rungs:
        return Markup("")
    metric = ladder_metric(seen.study)
    head = [f"{short(metric)} up to", short(metric), "trial", *HEAD, *map(short, others(metric))]
    rows = [tag("tr", *(tag("td", cell) for cell in _cells(row, metric)))
            for row in ladder_frame(seen).to_dict("records")]  # fmt: skip
    note = (
        "Within each limit the network that is believed to be the most accurate after all trials, which need not be "
        "the one that measured best; a network may be the best within several."
    )
    return tag("section", tag("h2", "The budget ladder"), table(head, rows, "ladder"), tag("p", note, class_="note"))


def others(metric: str) -> list[str]:
    """The costs that a table of rungs on a metric shows beside it."""
    return [name for name in OTHERS if name != metric]


def _cells(row: dict[str, float], metric: str) -> list[str]:
    limit = scaled(metric, row["budget"])
    if row["number"] != row["number"]:
        return [limit, "–", "none trained", *("" for _ in [*HEAD, *others(metric)])]
    return [
        limit, scaled(metric, row[metric]), str(int(row["number"])), percent(row["top1"], row["top1_se"]),
        percent(row["believed"], row["believed_sd"]), percent(row["top1_test"], row["top1_test_se"]),
        *(scaled(name, row[name]) for name in others(metric)),
    ]  # fmt: skip
