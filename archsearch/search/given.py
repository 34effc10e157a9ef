"""Earlier runs as a warm start: what they trained becomes trials of this run, with status `given`.

Results that were made alike (same images, recipe, amounts, evaluator) count as this run's own: they can be on the front
and are not made again. All others only tell the sampler something.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from archsearch.errors import SpaceError
from archsearch.records import GIVEN, TRAINED
from archsearch.search.config import RunConfig
from archsearch.search.ledger import Ledger, NewTrial
from archsearch.search.propose import Problem
from archsearch.search.samplers import distributions
from archsearch.search.wanted import with_classes
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.text import to_text

ALIKE = (  # what makes two results comparable
    "data_hash", "evaluator", "recipe", "epochs", "batch", "trial_images", "init_hash", "supernet_hash",
)  # fmt: skip
SHARING = "supernet"  # evaluator whose values are those of shared weights
MADE = "source_training"  # attribute of a given trial: the training that it tells of
RESULTS = ("top1", "top1_se", "top5", "seconds")


Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A run that has trained networks."""

    name: str  # of its folder, by which its trials are told apart from others'
    config: RunConfig
    trials: Sequence[FrozenTrial]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came over from one earlier run."""

    name: str
    differs: tuple[str, ...]  # why its results do not count as this run's own; empty where they do
    new: int = 0  # trials written now
    known: int = 0  # here already: written by an earlier call, or from a copy of the same run
    outside: tuple[str, ...] = field(default=())  # reasons, one for each network that the space has not


def take_over(
    ledger: Ledger, problem: Problem, config: RunConfig, earlier: Earlier, *, tell: Progress = silent
) -> Taken:  # fmt: skip
    """Write the results of an earlier run into this one's study, each once. Hold the run's lock.

    tell     called with (done, total) as it goes on
    """
    differs = unlike(config, earlier.config)
    there: set[object] = {(t.user_attrs["source"], t.user_attrs["source_trial"])
                          for t in ledger.trials() if t.user_attrs.get("status") == GIVEN}  # fmt: skip
    made = {training_of(t) for t in ledger.trials() if t.user_attrs.get("status") in (TRAINED, GIVEN)}
    new, known, outside = 0, 0, []
    found = list(results(earlier))
    for done, trial in enumerate(found, start=1):
        tell(done, len(found))
        origin = source_of(earlier, trial)
        training = training_of(trial)
        if origin in there or training in made:
            known += 1
            continue
        try:
            given = as_given(problem, trial, equal=not differs and trial.user_attrs.get("equal", True), origin=origin)
        except SpaceError as error:
            outside.append(f"trial {trial.number}: {error}")
            continue
        ledger.add(given)
        there.add(origin)
        made.add(training)
        new += 1
    return Taken(name=earlier.name, differs=differs, new=new, known=known, outside=tuple(outside))


def unlike(here: RunConfig, there: RunConfig) -> tuple[str, ...]:
    """What makes the results of two runs incomparable: names of ALIKE. A run's own supernet is like no other."""
    own = here.evaluator == there.evaluator == SHARING and None in (here.supernet_hash, there.supernet_hash)
    return tuple(name for name in ALIKE if getattr(here, name) != getattr(there, name)
                 or (own and name == "supernet_hash"))  # fmt: skip


def results(earlier: Earlier) -> Iterator[FrozenTrial]:
    """Its trials with a measured accuracy, those that were given to it included."""
    for trial in earlier.trials:
        if trial.state == TrialState.COMPLETE and trial.user_attrs.get("status") in (TRAINED, GIVEN):
            yield trial


def source_of(earlier: Earlier, trial: FrozenTrial) -> tuple[str, int]:
    """The run and the trial in which a network was trained, also where the run was given it by another one."""
    attrs = trial.user_attrs
    return str(attrs.get("source", earlier.name)), int(attrs.get("source_trial", trial.number))


def training_of(trial: FrozenTrial) -> str:
    """What tells one training from all others, also in a copy of its run's folder: when it began, as which trial, of
    which network, and what came of it."""
    attrs = trial.user_attrs
    if MADE in attrs:
        return str(attrs[MADE])
    began = trial.datetime_start.astimezone(UTC).isoformat() if trial.datetime_start else ""
    return f"{began} {attrs.get('source', '')} {trial.number} {attrs['key']} {attrs['top1']!r}"


def as_given(problem: Problem, trial: FrozenTrial, *, equal: bool, origin: tuple[str, int]) -> NewTrial:
    """An earlier trial as one of this run, costs counted anew.

    raises   SpaceError where the network is not in the space
    """
    there = Arch.from_dict(trial.user_attrs["arch_json"])
    code = problem.space.encode(with_classes(there, problem))
    arch = problem.space.decode(code)
    if not problem.offers(code):
        raise SpaceError("the table has no such network")
    costs = problem.costs(code)
    found: dict[str, Any] = {name: trial.user_attrs[name] for name in RESULTS if name in trial.user_attrs}
    attrs = {
        "status": GIVEN, "arch": to_text(arch), "arch_json": arch.to_dict(), "key": key(arch), "costs": costs,
        "source": origin[0], "source_trial": origin[1], MADE: training_of(trial), **found,
        "equal": equal and there.head.classes == arch.head.classes,
    }  # fmt: skip
    return NewTrial(
        params=problem.space.values(code), distributions=distributions(problem.space.axes), attrs=attrs,
        constraints=problem.budget.excess(costs), system_attrs={}, state=TrialState.COMPLETE,
        values=problem.values(found["top1"], costs),
    )  # fmt: skip
