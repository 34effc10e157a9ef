"""Who may race: every sampler of the group "samplers", made anew for each trial, and rivals under their own names."""

import sys
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIIISampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import Study

from archsearch import plugins
from archsearch.bench.course import Course
from archsearch.bench.local import LocalSearch
from archsearch.bench.race import Answer, Entrant
from archsearch.errors import PluginError, choices
from archsearch.records import AGAIN
from archsearch.search.history import SE, code_of
from archsearch.search.samplers import SamplerSetup, distributions
from archsearch.search.whole import Exhausted
from archsearch.spec.fields import Axis, Codes
from archsearch.surrogate.domain import Domain

Make = Callable[[int], BaseSampler]  # the sampler of trial `number`
SMALL = 20  # a population with which NSGA-II needs half the trials on NAS-Bench-Macro


class StudyEntrant:
    """An Optuna sampler that is asked through an in-memory study, as Optuna's own documentation says."""

    def __init__(
        self, domain: Domain, distributions: Mapping[str, BaseDistribution], make: Make, *,
        to_code: Callable[[Mapping[str, Any]], Codes], hand_over: Callable[[Study, Domain], Any] | None = None,
    ) -> None:  # fmt: skip
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._domain, self._distributions, self._make = domain, dict(distributions), make
        self._to_code, self._hand_over = to_code, hand_over
        directions: list[Literal["minimize", "maximize"]] = ["maximize"]
        directions += ["minimize"] * len(domain.minimize)
        self._study = optuna.create_study(directions=directions)
        self._open: dict[int, optuna.Trial] = {}
        self._again: set[int] = set()
        self._asked = 0

    def ask(self) -> tuple[int, Codes] | None:
        """The next trial's number and code; None where the sampler knows of nothing more.

        Where no axis has a second value Optuna never asks its sampler: there is one network, and one proposal.
        """
        if self._asked and all(kind.single() for kind in self._distributions.values()):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._study.sampler = self._make(self._asked)
            self._asked += 1
            try:
                trial = self._study.ask(fixed_distributions=self._distributions)
            except Exhausted:
                return None
        self._open[trial.number] = trial
        if self._study._storage.get_trial_system_attrs(trial._trial_id).get(AGAIN):
            self._again.add(trial.number)
        return trial.number, self._to_code(trial.params)

    def again(self, ticket: int) -> bool:
        """What the sampler noted on the trial."""
        return ticket in self._again

    def tell(self, ticket: int, answer: Answer) -> None:
        """Limits become Optuna's constraints; a network that does not exist becomes a failed trial."""
        trial = self._open.pop(ticket)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if answer.missing:
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
                return
            for name, value in answer.broken.items():
                trial.set_constraint(name, value)
            trial.set_user_attr(SE, answer.error)
            self._study.tell(trial, [answer.top1, *answer.costs])

    def handed(self) -> list[int] | None:
        """The numbers of the trials that the sampler's own rule hands over, where it has one."""
        return None if self._hand_over is None else [int(n) for n in self._hand_over(self._study, self._domain)]


def plugin(name: str, course: Course, seed: int, *, repeats: bool = False) -> StudyEntrant:
    """A sampler of the group "samplers"; `handed_over(study, domain)` beside its factory is its rule to hand over."""
    factory, domain = plugins.load("samplers", name), course.domain
    kinds = distributions(domain.axes)
    memory: dict[str, Any] = {}

    def make(number: int) -> BaseSampler:
        setup = SamplerSetup(seed=seed, number=number, domain=domain, distributions=kinds, repeats=repeats,
                             memory=memory)  # fmt: skip
        sampler: BaseSampler = factory(setup)
        return sampler

    module = sys.modules.get(getattr(factory, "__module__", ""))
    return StudyEntrant(domain, kinds, make, to_code=partial(code_of, domain.axes),
                        hand_over=getattr(module, "handed_over", None))  # fmt: skip


def _optuna(kind: Any, *, ordered: bool = False, **options: Any) -> Callable[[Course, int], Entrant]:
    """One of Optuna's samplers, on positions of choices: as categories, or as whole numbers."""

    def start(course: Course, seed: int) -> Entrant:
        axes = course.domain.axes
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sampler = kind(seed=seed, **options)
        return StudyEntrant(course.domain, _positions(axes, ordered=ordered), lambda _: sampler,
                            to_code=lambda params: np.array([params[axis.name] for axis in axes]))  # fmt: skip

    return start


def _positions(axes: tuple[Axis, ...], *, ordered: bool) -> dict[str, BaseDistribution]:
    if ordered:
        return {axis.name: IntDistribution(0, len(axis.values) - 1) for axis in axes}
    return {axis.name: CategoricalDistribution(range(len(axis.values))) for axis in axes}


def _pymoo(course: Course, seed: int) -> Entrant:
    try:
        from archsearch.bench.evolution import PymooNsga2
    except ImportError as error:
        raise PluginError(f"pymoo_nsga2 needs pymoo: pip install 'archsearch[bench]' ({error})") from None
    return PymooNsga2(course.domain, seed)


RIVALS: dict[str, Callable[[Course, int], Entrant]] = {
    "optuna_random": _optuna(RandomSampler),
    "optuna_nsga2": _optuna(NSGAIISampler),
    "optuna_nsga2_20": _optuna(NSGAIISampler, population_size=SMALL),
    "optuna_nsga3": _optuna(NSGAIIISampler),
    "optuna_tpe": _optuna(TPESampler),
    "optuna_tpe_mv": _optuna(TPESampler, multivariate=True),
    "optuna_tpe_mv_int": _optuna(TPESampler, ordered=True, multivariate=True),
    "optuna_gp": _optuna(GPSampler),
    "pymoo_nsga2": _pymoo,
    "local": lambda course, seed: LocalSearch(course.domain, seed),
}
OPTUNAS = {"nsga2", "nsga3", "tpe", "gp"}  # samplers of ours that are Optuna's
SLOW = {"optuna_gp", "gp"}  # about half a second a proposal


def names() -> list[str]:
    """All that may race, our own samplers first."""
    return [*plugins.names("samplers"), *RIVALS]


def chosen(text: str) -> list[str]:
    """The entrants of a list like `greybox,random,optuna_tpe`; `all`, `default` (all but the slow) stand for several.

    raises   PluginError naming the nearest
    """
    known, found = names(), list[str]()
    for word in filter(None, map(str.strip, text.split(","))):
        if word in ("all", "default"):
            found += [name for name in known if word == "all" or name not in SLOW | OPTUNAS]
        elif word in known:
            found.append(word)
        else:
            raise PluginError(f"unknown sampler {word!r}: {choices(word, [*known, 'all', 'default'])}")
    if not found:
        raise PluginError("no sampler is named: write all, default or names with commas between them")
    return list(dict.fromkeys(found))


def is_optuna(name: str) -> bool:
    """Whether an entrant is one of Optuna's own samplers."""
    return name.startswith("optuna_") or name in OPTUNAS


def enter(name: str, course: Course, seed: int, *, repeats: bool = False) -> Entrant:
    """A sampler at the start of one run; where it may, ours asks for further trainings of the same networks."""
    return RIVALS[name](course, seed) if name in RIVALS else plugin(name, course, seed, repeats=repeats)
