"""What is believed of a run's networks: by the surrogate where there is one, else as measured."""

import numpy as np
import pytest

from archsearch.pareto import front
from archsearch.report.beliefs import BELIEFS, FEWEST, beliefs
from archsearch.report.frame import minimised
from archsearch.report.view import view

NOISE = 0.02


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    """Four noisy runs of 60 trials, read."""
    from tests.report.conftest import write_space_run

    folder = tmp_path_factory.mktemp("noisy")
    return [view(write_space_run(folder / str(seed), 60, noise=NOISE, seed=seed)) for seed in range(4)]


def truths(seen, numbers):
    trials = seen.study.get_trials(deepcopy=False)
    return np.array([trials[int(number)].user_attrs["truth"] for number in numbers])


def test_believed_accuracies_are_nearer_to_the_truth_than_measured_ones(noisy):
    believed, measured = [], []
    for seen in noisy:
        rows = seen.frame.set_index("number").loc[seen.beliefs.table.index]
        believed.append((seen.beliefs.table["believed"] - truths(seen, rows.index)).abs().mean())
        measured.append((rows["top1"] - truths(seen, rows.index)).abs().mean())
    assert np.mean(believed) < 0.8 * np.mean(measured)


def test_the_spread_is_about_that_of_the_errors(noisy):
    errors = [(s.beliefs.table["believed"] - truths(s, s.beliefs.table.index)) / s.beliefs.table["believed_sd"]
              for s in noisy]  # fmt: skip
    assert 0.4 < np.concatenate(errors).std() < 1.6


def test_probabilities_say_how_often_a_network_is_on_the_true_front(noisy):
    told, true = [], []
    for seen in noisy:
        table = seen.beliefs.table
        costs = seen.frame.set_index("number").loc[table.index, "madds"].to_numpy()
        told.append(table["p_front"])
        true.append(front(np.column_stack([-truths(seen, table.index), costs])))
    told, true = np.concatenate(told), np.concatenate(true)
    assert true[told > 0.8].mean() > 0.6
    assert true[told < 0.05].mean() < 0.1
    assert told.sum() == pytest.approx(true.sum(), rel=0.5)


def test_what_is_handed_over_covers_more_of_the_truth_than_the_measured_front_and_lists_hold_both(noisy):
    for seen in noisy:
        listed = seen.listed
        assert set(listed.loc[listed["observed"], "number"]) == set(seen.front["number"])
        handed = listed[listed["handed_over"]]
        assert front(np.column_stack([-handed["believed"], handed["madds"]])).all()
        assert listed["madds"].is_monotonic_increasing
        assert (listed["observed"] | listed["handed_over"] | (listed["p_front"] >= 0.5)).all()
        assert listed["group"].notna().all()
        rest = seen.beliefs.table[~seen.beliefs.table.index.isin(listed["number"])]
        assert (rest["p_front"] < 0.5).all()
        assert rest["group"].isna().all()


def test_the_same_trials_are_believed_the_same(noisy):
    again = beliefs(noisy[0].study, noisy[0].run, noisy[0].frame, objectives=noisy[0].objectives, budgets={})
    assert again.table.equals(noisy[0].beliefs.table)


@pytest.mark.parametrize("objectives", [("top1",), ("top1", "madds", "params")])
def test_one_and_three_objectives(make, tmp_path, objectives):
    seen = view(make.space_run(tmp_path / "run", 30, noise=0.01, objectives=objectives))
    handed = seen.listed[seen.listed["handed_over"]]
    values = minimised(seen.listed.assign(top1=seen.listed["believed"]), objectives)
    assert front(values)[seen.listed["handed_over"]].all()
    if objectives == ("top1",):
        assert len(handed) == 1
        assert seen.beliefs.table["p_front"].sum() == pytest.approx(1)
    else:
        assert len(handed) > 2


def test_what_breaks_a_budget_is_not_believed_of_but_learnt_from(make, tmp_path):
    seen = view(make.space_run(tmp_path / "run", 40, noise=0.01, budgets={"madds": (None, 4e6)}))
    madds = seen.frame.set_index("number")["madds"]
    assert (madds.loc[seen.beliefs.table.index] <= 4e6).all()
    assert len(seen.beliefs.evidence.numbers) == 40 > len(seen.beliefs.table)


def test_without_its_space_measured_values_stand_alone_and_the_reason_is_told(make, tmp_path):
    folder = make.space_run(tmp_path / "run", 30, noise=0.01)
    (folder / "space.toml").unlink()
    seen = view(folder)
    assert "'space.toml' cannot be read" in seen.beliefs.why
    assert seen.beliefs.evidence is None
    listed = seen.listed
    assert listed["believed"].equals(listed["top1"])
    assert listed["believed_sd"].equals(listed["top1_se"])
    assert set(listed.loc[listed["handed_over"], "number"]) == set(seen.front["number"])


def test_a_few_trials_are_no_ground_for_a_surrogate(make, tmp_path):
    seen = view(make.space_run(tmp_path / "run", FEWEST - 1))
    assert f"needs {FEWEST} trained networks" in seen.beliefs.why
    assert view(make.space_run(tmp_path / "more", FEWEST + 4)).beliefs.why == ""


def test_exact_measurements_are_certain(make, tmp_path):
    folder = make.space_run(tmp_path / "run", 20, noise=0.0)
    (folder / "space.toml").unlink()
    listed = view(folder).listed
    assert (listed["p_front"] == 1).all()
    assert listed["group"].tolist() == list(range(1, len(listed) + 1))


def test_nothing_is_believed_of_an_empty_run(make, tmp_path):
    seen = view(make.run(tmp_path / "empty", 0))
    assert list(seen.beliefs.table.columns) == list(BELIEFS)
    assert len(seen.listed) == 0
