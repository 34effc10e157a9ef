"""Reading a study bit by bit gives what reading it at once gives."""

import numpy as np
import optuna
from hypothesis import given, settings
from hypothesis import strategies as st

from archsearch.cost.budget import Budget
from archsearch.search.history import OPEN, SE, SOURCE, code_of, read
from archsearch.search.samplers import distributions
from archsearch.search.tally import Follower, Tally
from archsearch.spec.space_file import read_space
from archsearch.surrogate.space_domain import SpaceDomain

DOMAIN = SpaceDomain(space=read_space("nas_bench_macro"), budget=Budget())
CODES = DOMAIN.everything().codes[::37]
ENDS = ("trained", "failed", "over", "given")
STEPS = st.lists(st.tuples(st.sampled_from(("begin", "end", "read")), st.integers(0, 5), st.sampled_from(ENDS)))


def begun(study, index):
    """A running trial of some network."""
    code = CODES[index % len(CODES)]
    params = {a.name: a.values[i] for a, i in zip(DOMAIN.axes, code, strict=True)}
    study.add_trial(optuna.create_trial(
        state=optuna.trial.TrialState.RUNNING, params=params, distributions=distributions(DOMAIN.axes)))  # fmt: skip


def ended(study, place, how):
    """One of the running trials ends."""
    open_ones = [t for t in study.get_trials(deepcopy=False) if t.state in OPEN]
    if not open_ones:
        return
    trial, storage = open_ones[place % len(open_ones)], study._storage
    if how == "failed":
        storage.set_trial_state_values(trial._trial_id, optuna.trial.TrialState.FAIL)
        return
    storage.set_trial_user_attr(trial._trial_id, SE, trial.number / 1000)
    storage.set_trial_user_attr(trial._trial_id, "top1", 0.5 + trial.number / 1000)
    storage.set_trial_user_attr(trial._trial_id, "status", "trained" if how == "trained" else how)
    if how == "over":
        storage.set_trial_system_attr(trial._trial_id, "constraints:madds<=1", 0.5)
    if how == "given":
        storage.set_trial_user_attr(trial._trial_id, SOURCE, f"run {place}")
    values = [0.5 + trial.number / 1000, 1.0]
    storage.set_trial_state_values(trial._trial_id, optuna.trial.TrialState.COMPLETE, values)


def told(history):
    """A history, in comparable form."""
    sources = ["" if k == 0 else history.sources[k - 1] for k in history.source]
    return (
        [list(map(tuple, part.codes)) for part in (history.judged, history.pending, history.failed)],
        list(history.judged), history.top1.tolist(), history.error.tolist(), history.numbers.tolist(), sources,
        history.seen,
    )  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_read_as_it_grows_is_read_at_once(steps):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["maximize", "minimize"])
    memory, given_out = {}, []
    for index, (what, place, how) in enumerate(steps):
        if what == "begin":
            begun(study, index)
        elif what == "end":
            ended(study, place, how)
        else:
            history = read(study, DOMAIN, memory)
            given_out.append((history, history.judged.codes.copy(), history.top1.copy()))
    assert told(read(study, DOMAIN, memory)) == told(read(study, DOMAIN, {}))
    for history, codes, top1 in given_out:
        assert (history.judged.codes == codes).all()
        assert (history.top1 == top1).all()


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_a_history_is_what_the_trials_say(steps):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["maximize", "minimize"])
    for index, (what, place, how) in enumerate(steps):
        begun(study, index) if what == "begin" else ended(study, place, how)
    history = read(study, DOMAIN, {})
    trials = study.get_trials(deepcopy=False)
    complete = [t for t in trials if t.state.name == "COMPLETE" and t.user_attrs["status"] != "over"]
    assert history.numbers.tolist() == [t.number for t in complete]
    assert history.top1.tolist() == [t.values[0] for t in complete]
    assert (history.source > 0).tolist() == [t.user_attrs["status"] == "given" for t in complete]
    for part, some in ((history.judged, complete), (history.failed, [t for t in trials if t.state.name == "FAIL"]),
                       (history.pending, [t for t in trials if t.state in OPEN])):  # fmt: skip
        assert part.codes.tolist() == [code_of(DOMAIN.axes, t.params).tolist() for t in some]
    named = DOMAIN.look(np.array([code_of(DOMAIN.axes, t.params) for t in trials]).reshape(-1, len(DOMAIN.axes)))
    unseen = ("over", "given")  # given by a run that made its results otherwise: it may be trained here
    left = {t.number for t in trials if t.user_attrs.get("status") in unseen and t.state.is_finished()}
    assert history.seen == {name for number, name in enumerate(named) if number not in left}


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_a_follower_shows_each_trial_when_it_is_new_and_when_it_has_ended(steps):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["maximize", "minimize"])
    follower, seen = Follower(), {}
    for index, (what, place, how) in enumerate(steps):
        if what == "begin":
            begun(study, index)
        elif what == "end":
            ended(study, place, how)
        else:
            seen |= {t.number: t.state for t in follower.news(study.get_trials(deepcopy=False))}
    seen |= {t.number: t.state for t in follower.news(study.get_trials(deepcopy=False))}
    assert seen == {t.number: t.state for t in study.trials}
    assert follower.open == [t.number for t in study.trials if t.state in OPEN]


def test_a_tally_kept_while_a_run_goes_on_is_a_fresh_one(tmp_path, silent):
    from tests.search.conftest import Noting, make_run

    kept = Tally()

    class Looking(Noting):
        def evaluate(self, arch, job):
            kept.look(run.ledger.trials())
            return super().evaluate(arch, job)

    options = {"sampler": "nsga2", "trials": 40, "space": "nas_bench_macro", "budgets": {"madds": "25%"}}
    run = make_run(tmp_path / "run", **options)
    run.search(Looking(fails=lambda arch: arch.stages[1].repeats == 3), silent)
    trials = run.ledger.trials()
    kept, fresh = kept.look(trials), Tally().look(trials)
    for name in ("open", "begun", "ended", "by_key", "typical"):
        assert getattr(kept, name) == getattr(fresh, name)
    assert kept.begun == kept.ended == 40
    trained = [t.user_attrs["top1"] for t in trials if t.user_attrs["status"] == "trained"]
    assert kept.typical == np.median(trained)
    assert len(kept.by_key) == len(
        {t.user_attrs["key"] for t in trials if t.user_attrs["status"] in ("trained", "failed")}
    )
