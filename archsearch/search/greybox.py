"""The sampler "greybox": costs are known, accuracy is learned; proposes networks that fit and are new, never others."""

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from archsearch.records import AGAIN, GAIN
from archsearch.search.history import History, read
from archsearch.search.informed import informed
from archsearch.search.samplers import SamplerSetup
from archsearch.search.stratified import StratifiedSampler
from archsearch.search.whole import WholeSampler
from archsearch.spec.fields import Codes
from archsearch.surrogate import front
from archsearch.surrogate.choose import Chooser, Fit, Seen
from archsearch.surrogate.design import first, size
from archsearch.surrogate.domain import Domain
from archsearch.surrogate.handover import Evidence, expected
from archsearch.surrogate.informed import InformedDomain, favourites
from archsearch.surrogate.pool import base

FIT = "archsearch:fit"  # system attribute of a trial: the surrogate's refit that was made for it
LEAST = 3  # results before the surrogate is asked


class GreyboxSampler(WholeSampler):
    """Expected hypervolume improvement with exact costs, on a Gaussian process that learns accuracy (docs/sampler.md).

    An ordinary Optuna sampler for studies whose parameters are the axes of a domain: first objective accuracy, up;
    then the domain's costs, down. Reads the study alone, so it goes on wherever a killed search stopped.

    >>> import optuna
    >>> from optuna.distributions import CategoricalDistribution
    >>> from archsearch.cost.feasible import read_budget
    >>> from archsearch.spec.space_file import read_space
    >>> from archsearch.surrogate.space_domain import SpaceDomain
    >>> space = read_space("nas_bench_macro")
    >>> domain = SpaceDomain(space=space, budget=read_budget({"madds": "50M"}, space))
    >>> choices = {axis.name: CategoricalDistribution(axis.values) for axis in space.axes}
    >>> sampler = GreyboxSampler(SamplerSetup(seed=0, number=0, domain=domain, distributions=choices))
    >>> def objective(trial):
    ...     code = space.code({axis.name: trial.suggest_categorical(axis.name, axis.values) for axis in space.axes})
    ...     accuracy = 0.5 + 0.05 * code.mean()  # train space.decode(code) here
    ...     return accuracy, domain.look(code[None]).costs[0, 0]
    >>> study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    >>> study.optimize(objective, n_trials=12)
    >>> max(trial.values[1] for trial in study.trials) <= 50e6  # no other network is ever proposed
    True
    """

    def proposal(self, study: Study, trial: FrozenTrial) -> Codes | None:
        """The next network; None where every one that fits has been tried, or none fits."""
        if not len(base(self._setup.domain, self._setup.seed, self._setup.memory)[0]):
            return None
        history = read(study, self._setup.domain, self._setup.memory)
        setup, history = informed(self._setup, history)
        code = self._design(setup, history)
        if code is None and len(set(history.judged)) >= LEAST:
            code = self._chosen(setup, study, trial, history)
        return StratifiedSampler(self._setup).draw(study, trial.number) if code is None else code

    def _design(self, setup: SamplerSetup, history: History) -> Codes | None:
        """The next network of the first design; None when it has been gone through."""
        if "design" not in setup.memory:
            drawn, _ = base(setup.domain, setup.seed, setup.memory)
            rng = np.random.default_rng(np.random.SeedSequence([setup.seed, 1]))
            n = size(drawn)
            rows = first(drawn, n, rng)
            if isinstance(setup.domain, InformedDomain):
                rows = [*favourites(drawn, len(setup.domain.beliefs), n // 2), *rows]
            setup.memory["design"] = drawn.take(np.array(rows[:n])).once()
        design, seen = setup.memory["design"], history.seen
        if len(seen) >= len(design):
            return None
        return next((design.codes[row] for row, name in enumerate(design) if name not in seen), None)

    def _chosen(self, setup: SamplerSetup, study: Study, trial: FrozenTrial, history: History) -> Codes | None:
        """What the surrogate would train next; its refit and the gain it expects are noted on the trial."""
        chooser = Chooser(setup.domain, setup.seed, setup.memory)
        seen = Seen(judged=history.judged, top1=history.top1, error=history.error, pending=history.pending,
                    left=history.seen, rungs=setup.ladder, repeats=setup.repeats)  # fmt: skip
        pick = chooser.pick(seen, last_fit(study))
        if pick is None:
            return None
        storage = study._storage
        storage.set_trial_system_attr(trial._trial_id, GAIN, pick.gain)
        if pick.again:
            storage.set_trial_system_attr(trial._trial_id, AGAIN, True)
        if pick.fit is not None:
            storage.set_trial_system_attr(trial._trial_id, FIT, {"at": pick.fit.at, "logs": list(pick.fit.logs)})
        return pick.code


def last_fit(study: Study) -> Fit | None:
    """The newest refit that is noted in a study."""
    for trial in reversed(study.get_trials(deepcopy=False)):
        if (noted := trial.system_attrs.get(FIT)) is not None:
            return Fit(at=noted["at"], logs=tuple(noted["logs"]))
    return None


def handed_over(study: Study, domain: Domain) -> list[int]:
    """Numbers of the trials to hand over: the front of what is believed of them, cheapest first.

    Under noise the highest observations are lucky ones; the surrogate knows the others, too (docs/sampler.md). A run
    does the same with its own trials (search/believed.py).
    """
    history = read(study, domain, {})
    own = history.source == 0
    judged, top1, numbers = history.judged.take(own), history.top1[own], history.numbers[own].tolist()
    evidence = Evidence(axes=domain.axes, networks=judged, numbers=numbers, top1=top1, error=history.error[own])
    believed = top1
    if evidence.enough:
        sample, _ = base(domain, 0, {})
        believed, _ = expected(evidence.learn(sample), judged)
    rows = front.handed_over(believed, judged.costs, domain.fits(judged.codes))
    return [numbers[row] for row in rows]


def greybox(setup: SamplerSetup) -> GreyboxSampler:
    """The plug-in "greybox"."""
    return GreyboxSampler(setup)


greybox.tells_gain = True  # type: ignore[attr-defined]  # so that a run may stop when the search is flat
greybox.repeats = True  # type: ignore[attr-defined]  # so that a run may ask for second trainings
