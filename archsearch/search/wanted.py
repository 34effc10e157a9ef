"""Networks asked for by hand: `--add ARCH` puts them before whatever the sampler would choose."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from archsearch.cost.budget import Limit, show
from archsearch.errors import BudgetError, SpaceError
from archsearch.records import WANTED
from archsearch.search.ledger import Ledger
from archsearch.search.propose import Problem
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.fields import Codes


def code_of(problem: Problem, arch: Arch, name: str) -> Codes:
    """The code int64[axes] of a network that may be trained; the number of classes is that of the images.

    name     as the user wrote it, for the message
    raises   SpaceError with the reason where it is not in the space, BudgetError with the excess where it does not fit
    """
    arch = with_classes(arch, problem)
    try:
        code = problem.space.encode(arch)
    except SpaceError as error:
        raise SpaceError(f"{name} cannot be added: {error}") from None
    if not problem.offers(code):
        raise SpaceError(f"{name} cannot be added: the table has no such network")
    costs = problem.costs(code)
    told = [_excess(metric, limit, costs[metric]) for metric, limit in problem.budget.limits.items()]
    broken = [text for text in told if text]
    if broken:
        raise BudgetError(f"{name} cannot be added: {', '.join(broken)}")
    return code


def with_classes(arch: Arch, problem: Problem) -> Arch:
    """The network with as many classes as the images have."""
    return replace(arch, head=replace(arch.head, classes=problem.space.head.classes))


def ask_for(ledger: Ledger, problem: Problem, codes: Sequence[Codes]) -> list[str]:
    """Note networks to be trained before the sampler's own; one line for each that is left out. Hold the run's lock.

    Left out is what was trained, is being trained or has failed, and what is noted already.
    """
    tried = ledger.tally().by_key
    noted = ledger.recall(WANTED, [])
    keys = {key(problem.space.decode(np.asarray(code))) for code in noted}
    told, new = [], []
    for code in codes:
        name = key(problem.space.decode(code))
        if name in tried:
            told.append(f"network {name} is left out: trial {tried[name]} has tried it already")
        elif name in keys:
            told.append(f"network {name} is asked for already")
        else:
            new.append([int(choice) for choice in code])
            keys.add(name)
    if new:
        ledger.remember(WANTED, noted + new)
    return told


def still_wanted(ledger: Ledger, problem: Problem) -> int:
    """How many of the networks asked for by hand are yet to be trained."""
    codes = [np.asarray(code, dtype=np.int64) for code in ledger.recall(WANTED, [])]
    fits = [code for code in codes if problem.budget.fits(problem.costs(code))]
    return len({key(problem.space.decode(code)) for code in fits} - set(ledger.tally().by_key))


def _excess(metric: str, limit: Limit, cost: float) -> str | None:
    """`madds 75.5M is 15.5M above 60.0M`, or None where the limit holds."""
    if cost > limit.high:
        return f"{metric} {show(cost, metric)} is {show(cost - limit.high, metric)} above {show(limit.high, metric)}"
    if cost < limit.low:
        return f"{metric} {show(cost, metric)} is {show(limit.low - cost, metric)} below {show(limit.low, metric)}"
    return None
