"""Courses small enough to be worked out by hand, and entrants that follow a script."""

import numpy as np

from archsearch.bench.course import Course
from archsearch.bench.tracks import Asked, from_table
from archsearch.evaluate.landscapes import tabulated
from archsearch.evaluate.table import Table
from archsearch.spec.fields import Axis

AXES = (Axis("a", (1, 2, 3)), Axis("b", ("x", "y")))
CODES = np.array([(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)])
TOP1 = np.array([0.5, 0.4, 0.7, 0.6, 0.8, 0.9])
MADDS = np.array([10.0, 15, 20, 25, 30, 35])
PARAMS = np.array([6.0, 5, 4, 3, 2, 1])


def six(*, minimize=("madds",), limit=None, left_out=()) -> Course:
    """Six networks of two axes: accuracies TOP1 (0.01 more and less by two seeds), costs MADDS and PARAMS."""
    rows = [i for i in range(6) if i not in left_out]
    top1 = np.stack([TOP1 - 0.01, TOP1 + 0.01], axis=1)[rows]
    table = Table(name="six", axes=AXES, codes=CODES[rows], top1=top1,
                  costs={"madds": MADDS[rows], "params": PARAMS[rows]})  # fmt: skip
    budgets = () if limit is None else (("madds", limit),)
    return from_table(table, Asked(table="six", minimize=minimize, budgets=budgets))


def constant(choices=3) -> Course:
    """Networks of four axes, three of which have one value; the same accuracies and costs as the first of `six`."""
    axes = (Axis("first", (7,)), Axis("a", (1, 2, 3)[:choices]), Axis("middle", ("x",)), Axis("last", (0.5,)))
    codes = np.array([(0, i, 0, 0) for i in range(choices)])
    table = Table(name="constant", axes=axes, codes=codes, top1=TOP1[:choices, None], costs={"madds": MADDS[:choices]})
    return from_table(table, Asked(table="constant", minimize=("madds",)))


def eighty_one(**asked) -> Course:
    """A made-up landscape of 81 networks, whose budget may be given."""
    axes = tuple(Axis(name, (1, 2, 3)) for name in "abcd")
    return from_table(tabulated("additive", axes), Asked(table="additive", **asked))


class Script:
    """Asks for given codes in their order and keeps what it is told."""

    def __init__(self, codes, hands_over=None, again=()) -> None:
        self.means_again = set(again)  # tickets
        self.codes, self.asked, self.told, self.hands_over = list(codes), 0, [], hands_over

    def ask(self):
        if self.asked == len(self.codes):
            return None
        self.asked += 1
        return self.asked - 1, np.array(self.codes[self.asked - 1])

    def again(self, ticket) -> bool:
        return ticket in self.means_again

    def tell(self, ticket, answer) -> None:
        self.told.append((ticket, answer))

    def handed(self):
        return self.hands_over
