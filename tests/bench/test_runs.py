"""Finished runs side by side: shares of hypervolume worked out by hand, what counts as a training, what is refused."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.bench.believed import believed
from archsearch.bench.runs import compare, document, repeated, rows, to_best_other
from archsearch.errors import RunError
from archsearch.report.kept import Kept, kept
from archsearch.report.open import open_run
from tests.report.conftest import write_space_run

RUN = {"space_hash": "s", "data_hash": "d", "evaluator": "train", "recipe": "quick", "epochs": 4, "batch": 64,
       "trial_images": 2500}  # fmt: skip


def _run(sampler, trials, *, seed=0, folder=None, **command) -> Kept:
    """A run of trials (status, key, top1, madds), or of (top1, madds) where all were trained."""
    told = [trial if len(trial) == 4 else ("trained", f"{sampler}{seed}-{i}", *trial)
            for i, trial in enumerate(trials)]  # fmt: skip
    frame = pd.DataFrame(told, columns=["status", "key", "top1", "madds"])
    frame.insert(0, "number", range(len(frame)))
    return Kept(folder=folder or f"{sampler}-{seed}", frame=frame, objectives=["top1", "madds"],
                budgets={"madds": (None, 40.0)}, run=RUN | {"sampler": sampler, "seed": seed} | command)  # fmt: skip


A = _run("a", [(0.4, 10), (0.6, 20), (0.8, 30)])
B = _run("b", [(0.5, 10), (0.5, 30), (0.7, 20)])


def test_shares_of_the_best_front_of_all_runs_by_hand():
    made = compare([A, B])
    assert made.goal.references["min"].tolist() == pytest.approx([-0.4, 30])
    assert made.goal.references["median"].tolist() == pytest.approx([-0.55, 30])
    # the front is (0.5, 10), (0.7, 20), (0.8, 30); the dearest has no width
    assert made.goal.volumes["min"] == pytest.approx(0.1 * 20 + 0.2 * 10)
    assert made.goal.volumes["median"] == pytest.approx(0.15 * 10)
    (of_a,), (of_b,) = made.scores["a"], made.scores["b"]
    assert of_a.volume["min"].tolist() == pytest.approx([0, 0.5, 0.5])
    assert of_b.volume["min"].tolist() == pytest.approx([0.5, 0.5, 1])
    assert of_a.volume["median"].tolist() == pytest.approx([0, 1 / 3, 1 / 3])
    assert of_a.best.tolist() == pytest.approx([0.4, 0.6, 0.8])
    assert of_b.front_share.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3])


def test_how_soon_a_sampler_has_what_the_best_other_one_has_at_the_end():
    made = compare([A, B])
    told = to_best_other(made, "b", "min")
    assert told == {"other": "a", "hypervolume": pytest.approx(0.5), "trained": 1, "quartiles": [1, 1],
                    "ratio": pytest.approx(3), "seeds": 1}  # fmt: skip
    told = to_best_other(made, "a", "min")
    assert (told["other"], told["trained"], told["ratio"], told["seeds"]) == ("b", None, None, 0)
    assert to_best_other(compare([A]), "a", "min") is None


def test_the_best_of_several_others_is_the_bar_and_medians_are_over_seeds():
    again = _run("b", [(0.5, 10), (0.7, 20), (0.5, 30)], seed=1)
    last = _run("b", [(0.7, 20), (0.5, 10), (0.5, 30)], seed=2)
    weak = _run("c", [(0.4, 10), (0.4, 20), (0.4, 30)])
    made = compare([weak, A, B, last, again])
    assert [entry.seed for entry in made.entries["b"]] == [0, 1, 2]
    assert list(made.entries) == ["c", "a", "b"]
    told = to_best_other(made, "b", "median")
    # a ends at 1/3 of it; the seeds of b are there after 3, 2 and 1 trainings
    assert (told["other"], told["trained"], told["quartiles"]) == ("a", 2, [1.5, 2.5])
    told = document(made)["samplers"]["b"]
    assert told["hypervolume_at"]["min"]["2"] == pytest.approx(1)
    assert told["hypervolume_at_quartiles"]["min"]["2"] == pytest.approx([0.75, 1])
    assert told["hypervolume_of_seeds"]["min"] == pytest.approx([1, 1, 1])


def test_only_trainings_count_failed_ones_among_them():
    run = _run("a", [("trained", "x", 0.4, 10), ("over_budget", "o", np.nan, 99), ("replayed", "x", 0.4, 10),
                     ("failed", "f", np.nan, 5), ("skipped", "f", np.nan, 5), ("trained", "y", 0.6, 20),
                     ("over_budget", "p", np.nan, 98), ("running", "z", np.nan, 1)])  # fmt: skip
    made = compare([run, B])
    (entry,), (marks,) = made.entries["a"], made.scores["a"]
    assert made.trained == 3
    assert entry.keys == ("x", "f", "y")
    assert entry.log.proposals.tolist() == [1, 4, 6]
    assert entry.statuses == {"trained": 2, "failed": 1, "over_budget": 1, "replayed": 1, "skipped": 1}
    assert (entry.log.over_budget, entry.log.duplicates) == (1, 1)
    assert marks.volume["min"].tolist() == pytest.approx([0, 0, 2 / 4])
    assert marks.best.tolist() == pytest.approx([0.4, 0.4, 0.6])
    json.dumps(document(made), allow_nan=False)


def test_longer_runs_are_cut_to_the_shortest():
    longer = _run("a", [(0.4, 10), (0.6, 20), (0.8, 30), (0.95, 5)])
    made = compare([longer, B])
    assert made.trained == 3
    assert made.entries["a"][0].left_out == 1
    assert made.goal.volumes == compare([A, B]).goal.volumes


def test_rows_follow_numbers_however_the_table_is_sorted():
    shuffled = replace(A, frame=A.frame.iloc[::-1].reset_index(drop=True))
    assert list(rows(compare([shuffled, B]))) == list(rows(compare([A, B])))


def test_the_rows_hold_every_training():
    table = pd.DataFrame(rows(compare([A, B])))
    assert table["trained"].tolist() == [1, 2, 3] * 2
    assert table["top1"].tolist() == [0.4, 0.6, 0.8, 0.5, 0.5, 0.7]
    assert table["hypervolume_min"].tolist() == pytest.approx([0, 0.5, 0.5, 0.5, 0.5, 1])


def test_networks_trained_twice_tell_the_noise():
    one = _run("a", [("trained", "x", 0.5, 10), ("trained", "y", 0.7, 20)])
    two = _run("b", [("trained", "x", 0.6, 10), ("trained", "z", 0.7, 20)])
    many, spread = repeated(compare([one, two]))
    assert (many, spread) == (1, pytest.approx(np.std([0.5, 0.6], ddof=1)))
    assert repeated(compare([A, B])) == (0, None)


def test_another_training_of_a_network_is_paid_for_and_its_first_result_stands():
    run = _run("a", [("trained", "x", 0.4, 10), ("failed", "y", np.nan, 20), ("trained", "x", 0.9, 10),
                     ("trained", "y", 0.6, 20)])  # fmt: skip
    again = _run("b", [("trained", "v", 0.4, 10), ("trained", "w", 0.4, 30), ("trained", "u", 0.5, 15),
                       ("trained", "t", 0.4, 12)])  # fmt: skip
    made = compare([run, again])
    (entry,), (marks,) = made.entries["a"], made.scores["a"]
    assert (made.trained, entry.log.repeats) == (4, 1)
    assert marks.best.tolist() == pytest.approx([0.4, 0.4, 0.4, 0.6])
    assert repeated(made) == (1, pytest.approx(np.std([0.4, 0.9], ddof=1)))
    assert [row["top1"] for row in rows(made)][:4] == [0.4, None, 0.9, 0.6]


def test_what_is_judged_may_be_another_accuracy_than_what_was_measured():
    truth = {"a0-0": 0.4, "a0-1": 0.7, "a0-2": 0.5, "b0-0": 0.45, "b0-1": 0.5, "b0-2": 0.6}
    made = compare([A, B], truth)
    assert document(made)["judged"] == "believed"
    # the front of the truth is (0.45, 10), (0.7, 20) before 30: 0.05 * 20 + 0.25 * 10
    assert made.goal.volumes["min"] == pytest.approx(3.5)
    # what looks best in the first run hands over (0.4, 10), (0.7, 20), (0.5, 30)
    assert made.scores["a"][0].volume["min"].tolist() == pytest.approx([0, 3 / 3.5, 3 / 3.5])


POINTS = st.lists(st.tuples(st.integers(1, 99), st.integers(1, 40)), min_size=1, max_size=8)


@given(several=st.lists(POINTS, min_size=1, max_size=4))
def test_shares_grow_and_never_exceed_the_whole(several):
    runs = [_run("s", [(top1 / 100, madds) for top1, madds in each], seed=seed) for seed, each in enumerate(several)]
    made = compare(runs)
    for marks in made.scores["s"]:
        for share in marks.volume.values():
            assert len(share) == min(map(len, several))
            assert (np.diff(share) >= 0).all()
            assert share[-1] <= 1 + 1e-9
    if len(runs) == 1:
        assert all(made.scores["s"][0].volume[name][-1] == pytest.approx(1) for name, all_ in made.goal.volumes.items()
                   if all_)  # fmt: skip


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (_run("b", [(0.5, 10)], epochs=5), "b-0 cannot be compared with a-0: epochs is 4 there, 5 here"),
        (_run("b", [(0.5, 10)], space_hash="t", batch=32), "space_hash is 's' there, 't' here; batch is 64 there"),
        (replace(B, budgets={"madds": (None, 30.0)}), "budgets"),
        (replace(B, objectives=["top1", "params"]), "minimize"),
        (_run("a", [(0.5, 10)], folder="copy"), "copy and a-0 are both of sampler a, seed 0"),
        (_run("b", [("given", "x", 0.5, 10), ("trained", "y", 0.6, 20)]), "b-0 began from earlier runs"),
        (_run("b", [("running", "x", np.nan, 10)]), "b-0 has trained no network yet"),
    ],
)
def test_runs_that_are_not_alike_are_refused(other, message):
    with pytest.raises(RunError, match=message):
        compare([A, other])


def test_runs_of_failures_alone_are_refused():
    with pytest.raises(RunError, match="every training"):
        compare([_run("a", [("failed", "x", np.nan, 10)])])


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    """Two runs over one space, their noise known."""
    root = tmp_path_factory.mktemp("noisy")
    return [write_space_run(root / f"run{seed}", 40, noise=0.02, seed=seed) for seed in (0, 1)]


def test_what_is_believed_is_nearer_to_the_truth_than_what_was_measured(noisy):
    runs = [kept(folder) for folder in noisy]
    expected = believed(runs)
    trials = [trial.user_attrs for folder in noisy for trial in open_run(folder)[0].trials]
    truth = np.array([told["truth"] for told in trials])
    told = {"believed": [expected[told["key"]] for told in trials], "measured": [told["top1"] for told in trials]}
    misses = {name: np.sqrt(np.mean((np.array(each) - truth) ** 2)) for name, each in told.items()}
    assert misses["believed"] < 0.6 * misses["measured"]
    assert believed(runs) == expected


def test_without_its_space_nothing_is_believed(noisy):
    run = kept(noisy[0])
    gone = replace(run, run={**run.run, "space": "nowhere/space.toml"})
    with pytest.raises(RunError, match=r"the runs' space 'space\.toml' cannot be read"):
        believed([gone])
    other = replace(run, run={**run.run, "space": "nas_bench_macro"})
    with pytest.raises(RunError, match="has changed since"):
        believed([other])
