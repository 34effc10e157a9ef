"""The sampler "greybox" as a plain Optuna sampler: what fits, once each, until all of it is tried."""

import doctest

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from archsearch.cost.budget import Budget, Limit
from archsearch.evaluate.table import Table
from archsearch.evaluate.table_domain import TableDomain
from archsearch.pareto import front
from archsearch.records import GAIN
from archsearch.search import greybox
from archsearch.search.greybox import FIT, GreyboxSampler, handed_over, last_fit
from archsearch.search.history import SE, code_of
from archsearch.search.samplers import SamplerSetup, distributions
from archsearch.search.stratified import StratifiedSampler
from archsearch.search.whole import Exhausted
from archsearch.spec.fields import Axis
from archsearch.spec.space_file import read_space
from archsearch.surrogate.belief import accuracy, learn
from archsearch.surrogate.design import FIRST
from archsearch.surrogate.space_domain import SpaceDomain
from tests.strategies import spaces

MACRO = SpaceDomain(space=read_space("nas_bench_macro"), budget=Budget(limits={"madds": Limit(high=60e6)}))
OBJECTIVES = [(), ("madds",), ("params", "madds")]


@pytest.fixture(autouse=True)
def quiet():
    """Optuna tells of trials that failed on purpose."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    yield
    optuna.logging.set_verbosity(before)


def sampler(domain, seed=0, **options) -> GreyboxSampler:
    return GreyboxSampler(SamplerSetup(seed=seed, number=0, domain=domain, distributions=distributions(domain.axes),
                                       **options))  # fmt: skip


def study_of(domain, **options):
    directions = ["maximize", *["minimize"] * len(domain.minimize)]
    return optuna.create_study(directions=directions, sampler=sampler(domain), **options)


def objective(domain, fails=frozenset(), noise=0.0):
    """Accuracy by the choices of a trial, and its costs; some trials have none."""

    def judge(trial):
        params = {name: trial._suggest(name, each) for name, each in distributions(domain.axes).items()}
        network = domain.look(code_of(domain.axes, params)[None])
        if trial.number in fails:
            return [float("nan")] * (1 + len(domain.minimize))
        rng = np.random.default_rng(trial.number)
        trial.set_user_attr(SE, noise)
        top1 = 0.3 + 0.1 * np.sin(network.slots.sum()) + 0.3 * np.tanh(network.traits[0].mean() / 20)
        return [float(top1 + noise * rng.standard_normal()), *network.costs[0].tolist()]

    return judge


def codes_of(domain, trials):
    return np.array([code_of(domain.axes, trial.params) for trial in trials if trial.params or not domain.axes])


@st.composite
def tiny(draw):
    """A space of 40 codes at most under a budget that some of its networks fit."""
    space = draw(spaces().filter(lambda space: 1 < space.size <= 40))
    whole = SpaceDomain(space=space, budget=Budget(), minimize=("madds",))
    limit = draw(st.sampled_from(sorted(whole.everything().costs[:, 0].tolist())))
    budget = Budget(limits={"madds": Limit(high=limit)})
    return SpaceDomain(space=space, budget=budget, minimize=draw(st.sampled_from(OBJECTIVES)))


@settings(max_examples=12)
@given(tiny(), st.sets(st.integers(0, 12), max_size=3))
def test_it_proposes_what_fits_once_each_and_ends_when_all_is_tried(domain, fails):
    study = study_of(domain)
    with pytest.raises(Exhausted):
        study.optimize(objective(domain, fails), n_trials=60)
    codes = codes_of(domain, study.trials)
    names = list(domain.look(codes))
    assert domain.fits(codes).all()
    assert len(set(names)) == len(names)
    assert set(names) == set(domain.everything())
    gains = [trial.system_attrs[GAIN] for trial in study.trials if GAIN in trial.system_attrs]
    assert all(gain >= 0 and np.isfinite(gain) for gain in gains)


@settings(max_examples=6)
@given(tiny(), st.integers(1, 4))
def test_networks_under_way_are_not_proposed_again(domain, batch):
    study = study_of(domain)
    judge, names = objective(domain), []
    for _ in range(6):
        asked = []
        try:
            for _ in range(batch):
                asked.append(study.ask(distributions(domain.axes)))
        except Exhausted:
            break
        finally:
            names += list(domain.look(codes_of(domain, asked).reshape(-1, len(domain.axes))))
            for trial in asked:
                study.tell(trial, judge(trial))
    assert len(set(names)) == len(names)
    assert len(names) == min(6 * batch, len(domain.everything()))


def test_it_is_the_same_search_in_memory_in_a_journal_and_after_every_kill(tmp_path):
    judge, n = objective(MACRO), FIRST + 8
    plain = study_of(MACRO)
    plain.optimize(judge, n_trials=n)
    kept = study_of(MACRO, storage=JournalStorage(JournalFileBackend(str(tmp_path / "kept.journal"))))
    kept.optimize(judge, n_trials=n)
    for number in range(n):  # another process for each trial: the journal is all that it finds
        storage = JournalStorage(JournalFileBackend(str(tmp_path / "killed.journal")))
        killed = study_of(MACRO, storage=storage, study_name="killed", load_if_exists=True)
        assert len(killed.trials) == number
        killed.optimize(judge, n_trials=1)
    for other in (kept, killed):
        assert [trial.params for trial in other.trials] == [trial.params for trial in plain.trials]
        assert [trial.system_attrs.get(FIT) for trial in other.trials] == [
            trial.system_attrs.get(FIT) for trial in plain.trials
        ]
    chosen = [GAIN in trial.system_attrs for trial in plain.trials]
    assert chosen == [False] * FIRST + [True] * 8
    noted = [trial.system_attrs[FIT] for trial in plain.trials if FIT in trial.system_attrs]
    assert last_fit(plain).at == noted[-1]["at"] > noted[0]["at"]


def test_another_seed_is_another_search():
    found = []
    for seed in (0, 1):
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler(MACRO, seed))
        study.optimize(objective(MACRO), n_trials=FIRST)
        found.append([trial.params for trial in study.trials])
    assert found[0] != found[1]


def test_the_example_of_its_description_runs():
    found = doctest.DocTestFinder(recurse=False).find(GreyboxSampler, globs=vars(greybox))
    assert sum(len(test.examples) for test in found) > 5
    for test in found:
        assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_what_is_handed_over_was_trained_fits_and_is_the_front_of_what_is_believed(noise):
    study = study_of(MACRO)
    study.optimize(objective(MACRO, fails=frozenset([2, 9]), noise=noise), n_trials=20)
    trials = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    numbers = handed_over(study, MACRO)
    assert set(numbers) <= {trial.number for trial in trials}
    judged = MACRO.look(codes_of(MACRO, trials))
    top1, error = np.array([trial.values[0] for trial in trials]), np.full(len(trials), noise)
    mean, _ = learn(judged, MACRO.axes, top1, error, sample=MACRO.everything()).predict(judged)
    on = front(np.column_stack([-mean, judged.costs]))
    assert sorted(numbers) == [trial.number for trial, stands in zip(trials, on, strict=True) if stands]
    costs = [study.trials[number].values[1] for number in numbers]
    assert costs == sorted(costs)
    if noise == 0:  # nothing is doubted, so that belief and measurement agree but for what the fit smooths
        assert accuracy(mean) == pytest.approx(top1, abs=0.05)


def test_two_results_are_handed_over_as_they_were_measured():
    study = study_of(MACRO)
    study.optimize(objective(MACRO), n_trials=2)  # the cheapest and the dearest
    values = np.array([[-trial.values[0], trial.values[1]] for trial in study.trials])
    assert sorted(handed_over(study, MACRO)) == np.flatnonzero(front(values)).tolist()
    assert handed_over(study_of(MACRO), MACRO) == []


def test_where_nothing_fits_it_ends_at_once():
    axes = (Axis("a", (1, 2, 3)),)
    table = Table(name="three", axes=axes, codes=np.arange(3)[:, None], top1=np.full((3, 1), 0.5),
                  costs={"madds": np.array([3.0, 4.0, 5.0])})  # fmt: skip
    nothing = Budget(limits={"madds": Limit(high=1)})
    for domain in (TableDomain(table=table, budget=nothing), SpaceDomain(space=MACRO.space, budget=nothing)):
        with pytest.raises(Exhausted):
            study_of(domain).ask(distributions(domain.axes))
    domain = TableDomain(table=table, budget=nothing)
    study = study_of(domain)
    study.sampler = StratifiedSampler(sampler(domain)._setup)
    with pytest.raises(Exhausted):
        study.ask(distributions(domain.axes))


@pytest.mark.parametrize("kind", [GreyboxSampler, StratifiedSampler])
def test_an_axis_of_one_value_is_set_before_the_sampler_is_asked_and_does_no_harm(kind):
    axes = (Axis("only", (3,)), Axis("a", (1, 2, 3)), Axis("b", ("x", "y")))
    codes = np.array([(0, a, b) for a in range(3) for b in range(2)])
    table = Table(name="six", axes=axes, codes=codes, top1=np.linspace(0.4, 0.9, 6)[:, None],
                  costs={"madds": np.arange(1.0, 7.0)})  # fmt: skip
    domain = TableDomain(table=table, minimize=("madds",))
    study = study_of(domain)
    study.sampler = kind(sampler(domain)._setup)
    for _ in range(6):
        trial = study.ask(distributions(axes))
        study.tell(
            trial, [0.5 + 0.1 * trial.params["a"], float(domain.look(code_of(axes, trial.params)[None]).costs[0, 0])]
        )
    assert len({tuple(code) for code in codes_of(domain, study.trials)}) == 6
    with pytest.raises(Exhausted):
        study.ask(distributions(axes))


def test_a_ladder_is_seen_by_the_sampler():
    rungs = (20e6, 40e6, 60e6)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler(MACRO, ladder=rungs))
    study.optimize(objective(MACRO), n_trials=FIRST + 10)
    plain = study_of(MACRO)
    plain.optimize(objective(MACRO), n_trials=FIRST + 10)
    assert [trial.params for trial in study.trials] != [trial.params for trial in plain.trials]
    codes = codes_of(MACRO, study.trials)
    assert MACRO.fits(codes).all()
    assert len(set(MACRO.look(codes))) == FIRST + 10


def test_random_search_is_spread_over_costs_below_one_too():
    n = 64
    cost = np.geomspace(1e-4, 1e-1, n)[np.random.default_rng(0).permutation(n)]
    axes = (Axis("a", tuple(range(8))), Axis("b", tuple(range(8))))
    codes = np.array([(i, j) for i in range(8) for j in range(8)])
    table = Table(name="t", axes=axes, codes=codes, top1=np.full((n, 1), 0.5), costs={"ms": cost})
    domain = TableDomain(table=table, minimize=("ms",))
    study = optuna.create_study(directions=["maximize", "minimize"])
    for number in range(8):
        setup = SamplerSetup(seed=0, number=number, domain=domain, distributions=distributions(axes))
        study.sampler = StratifiedSampler(setup)
        trial = study.ask(fixed_distributions=distributions(axes))
        study.tell(trial, [0.5, float(domain.look(code_of(axes, trial.params)[None]).costs[0, 0])])
    logs = np.sort(np.log10([trial.values[1] for trial in study.trials]))
    assert np.diff(logs).max() < 1  # of a range of three
    assert np.ptp(logs) > 2
