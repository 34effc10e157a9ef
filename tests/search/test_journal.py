"""Our journal is Optuna's: either reads what the other wrote, and both show the same trials."""

import json

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from archsearch.search.journal import Journal, JournalFile
from archsearch.search.samplers import distributions
from archsearch.spec.space_file import read_space
from tests.search.conftest import Noting, make_run

SPACE = read_space("nas_bench_macro")
ACTIONS = ("create", "running", "attr", "end", "fail", "study", "ask")
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.booleans(), st.integers(0, 3)), min_size=1, max_size=25
)  # action, by which of the two, place


def theirs(path):
    """Optuna's own storage on a journal."""
    return optuna.storages.JournalStorage(JournalFileBackend(str(path)))


def template(state, place):
    """A whole trial, as the ledger writes it."""
    code = SPACE.enumerate().__next__()[place * 101]
    arch = SPACE.decode(code).to_dict()
    return optuna.trial.create_trial(
        state=state, params=SPACE.values(code), distributions=distributions(SPACE.axes),
        values=[0.5, 3.0] if state == TrialState.COMPLETE else None, user_attrs={"arch_json": arch, "status": "x"},
    )  # fmt: skip


def act(storage, study, what, place):
    """One step through one of the storages."""
    trials = storage.get_all_trials(study, deepcopy=False)
    open_ones = [t for t in trials if not t.state.is_finished()]
    if what == "create":
        storage.create_new_trial(study, template(TrialState.COMPLETE, place))
    elif what == "running":
        storage.create_new_trial(study, template(TrialState.RUNNING, place))
    elif what == "study":
        storage.set_study_user_attr(study, f"name {place}", place)
    elif what == "ask":
        axis = SPACE.axes[place]
        number = storage.create_new_trial(study)
        storage.set_trial_param(number, axis.name, 0.0, distributions([axis])[axis.name])
    elif open_ones:
        end(storage, open_ones[place % len(open_ones)]._trial_id, what, place)


def end(storage, trial, what, place):
    """Note something on a trial; close it where that is asked for."""
    if what == "attr":
        storage.set_trial_user_attr(trial, f"name {place}", [place])
    elif what == "fail":
        storage.set_trial_state_values(trial, TrialState.FAIL)
    elif isinstance(storage, Journal):
        storage.end_trial(trial, {"top1": 0.5, "status": "trained"}, TrialState.COMPLETE, [0.5, 2.0])
    else:
        storage.set_trial_state_values(trial, TrialState.COMPLETE, [0.5, 2.0])


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_both_show_the_same_trials_whoever_wrote_them(tmp_path_factory, steps):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = tmp_path_factory.mktemp("journal") / "study.journal"
    ours, other = Journal(path), theirs(path)
    study = optuna.create_study(storage=ours, study_name="one", directions=["maximize", "minimize"])._study_id
    for what, by_us, place in steps:
        act(ours if by_us else other, study, what, place)
    expected = theirs(path).get_all_trials(study)
    assert ours.get_all_trials(study) == other.get_all_trials(study) == Journal(path).get_all_trials(study) == expected
    assert ours.get_study_user_attrs(study) == theirs(path).get_study_user_attrs(study)
    for state in TrialState:
        assert ours.get_all_trials(study, states=(state,)) == other.get_all_trials(study, states=(state,))


@settings(max_examples=60, deadline=None)
@given(records=st.lists(st.dictionaries(st.text(), st.integers()), min_size=1), data=st.data())
def test_a_file_that_grows_in_pieces_is_read_whole_and_each_record_once(tmp_path_factory, records, data):
    path = tmp_path_factory.mktemp("journal") / "study.journal"
    content = "".join(json.dumps(record) + "\n" for record in records).encode()
    file, read = JournalFile(path), []
    while path.stat().st_size < len(content):
        size = data.draw(st.integers(path.stat().st_size + 1, len(content)))
        path.write_bytes(content[:size])
        read += file.read_logs(len(read))
    assert read == records
    assert list(file.read_logs(len(read))) == []
    start = data.draw(st.integers(0, len(records)))
    assert list(file.read_logs(start)) == records[start:]


def test_a_write_of_a_closed_trial_is_refused_and_the_rest_is_read(tmp_path):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = tmp_path / "study.journal"
    ours = Journal(path)
    study = optuna.create_study(storage=ours, study_name="one", directions=["maximize", "minimize"])._study_id
    trial = ours.create_new_trial(study, template(TrialState.RUNNING, 0))
    theirs(path).set_trial_state_values(trial, TrialState.COMPLETE, [0.1, 0.2])
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        ours.set_trial_state_values(trial, TrialState.COMPLETE, [0.3, 0.4])
    theirs(path).create_new_trial(study, template(TrialState.COMPLETE, 1))
    assert [t.values for t in ours.get_all_trials(study)] == [[0.1, 0.2], [0.5, 3.0]]


def test_equal_parts_of_trials_are_held_once(tmp_path, silent):
    run = make_run(tmp_path / "run", space="nas_bench_macro", budgets={}, trials=12)
    run.search(Noting(), silent)
    trials = Journal(run.folder.journal).get_all_trials(0, deepcopy=False)
    assert len({id(t.distributions) for t in trials}) == 1
    stages = [stage for t in trials for stage in t.user_attrs["arch_json"]["stages"]]
    assert len({id(stage) for stage in stages}) == len({repr(stage) for stage in stages}) < len(stages)
    assert trials == theirs(run.folder.journal).get_all_trials(0)
