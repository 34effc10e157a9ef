"""Budgets that change when a run goes on: what was begun and no longer fits is closed, all that was learned stays.

Tighter: trained networks that no longer fit leave the front and the finalists and still inform the sampler. Looser: the
search goes on, and a network that was over budget before may be trained now.
"""

from optuna.trial import TrialState

from archsearch.errors import RunError
from archsearch.records import BUDGETS, LADDER, OVER, SINCE, STOPPED, RunFolder
from archsearch.search.finish import trained
from archsearch.search.halving import Halving
from archsearch.search.ledger import Ledger
from archsearch.search.lock import is_alive
from archsearch.search.propose import Problem
from archsearch.search.worker import remove

NO_WORKERS = ("propose", "final-", "latency")  # how locks begin that are no worker's


def settle_budgets(ledger: Ledger, problem: Problem, folder: RunFolder) -> str | None:
    """Note a problem's limits in its study; what a change means, in one line. Hold the run's lock.

    A kill on the way loses nothing: the next call finds the limits still unlike and does the same again.
    raises   RunError where they change while a worker of the run is alive
    """
    now, before = problem.budget.to_dict(), ledger.recall(BUDGETS)
    ladder, rungs = list(problem.ladder), ledger.recall(LADDER, [])
    if before == now and ladder == rungs:
        return None
    told = None
    if before is not None:
        check_alone(folder)
        closed = close_misfits(ledger, problem)
        for trial in ledger.trials():
            if trial.user_attrs.get("status") in (OVER, STOPPED):
                remove(folder.checkpoints / f"trial-{trial.number}")
        told = told_of(ledger, problem, closed)
        ledger.remember(SINCE, len(ledger.trials()))
    if ladder != rungs:
        ledger.remember(LADDER, ladder)
    ledger.remember(BUDGETS, now)
    return told


def check_alone(folder: RunFolder) -> None:
    """Raise RunError where some worker of the run is alive: it would go on under the old limits."""
    places = [path for path in folder.workers.glob("*.lock") if not path.name.startswith(NO_WORKERS)]
    alive = sum(map(is_alive, places))
    if alive:
        raise RunError(
            f"{alive} worker(s) of {folder.root} are at work under its budgets; stop them, then change these"
        )


def close_misfits(ledger: Ledger, problem: Problem) -> int:
    """Close the trials that a killed worker left and that must not be trained any more; how many."""
    closed, stopped = 0, stop_misfits(ledger, problem)
    for trial in ledger.trials():
        costs = trial.user_attrs.get("costs", {})
        if trial.state != TrialState.RUNNING or problem.budget.fits(costs) or trial.number in stopped:
            continue
        ledger.constrain(trial.number, problem.budget.excess(costs))
        ledger.finish(trial.number, problem.values(0.0, costs), {"status": OVER})
        closed += 1
    return closed


def stop_misfits(ledger: Ledger, problem: Problem) -> set[int]:
    """Stop the trials that wait at a rung and no longer fit: what is expected of them still informs the sampler."""
    if problem.rule is None:
        return set()
    waiting = Halving(problem, problem.rule).waiting(ledger.trials())
    found = {number: attrs for number, attrs in waiting.items()
             if not problem.budget.fits(ledger.trials()[number].user_attrs["costs"])}  # fmt: skip
    for number, attrs in found.items():
        ledger.stop(number, attrs)
    return set(found)


def told_of(ledger: Ledger, problem: Problem, closed: int) -> str:
    """What a change of budgets means for what is there."""
    known = trained(ledger.trials())
    out = sum(not problem.budget.fits(t.user_attrs["costs"]) for t in known)
    words = f"budgets have changed: {out} of {len(known)} trained networks do not fit and only inform the search"
    return words + (f"; {closed} unfinished trial(s) closed untrained" if closed else "")
