"""An ablation as a study: the same after kills, shared by processes, failures kept, more pairs and seeds added."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from archsearch.ablate.campaign import pair_seed, tasks
from archsearch.ablate.outcome import outcome, rows
from archsearch.errors import RunError
from tests.ablate.workers import MADE, Pretended, campaign, carried_out

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return carried_out(tmp_path_factory.mktemp("whole"), Pretended())


def start(folder, *more):
    return subprocess.Popen([sys.executable, "-m", "tests.ablate.workers", str(folder), *map(str, more)], cwd=ROOT)


def test_every_pair_has_every_level_and_seed(whole):
    made = outcome(whole)
    assert made.numbers == (0, 1, 2, 3, 4)
    assert made.top1.shape == (5, 2, 2)
    assert not np.isnan(made.top1).any()
    assert made.treatments.tolist() == [[0], [1]]
    assert (made.madds[:, 0] == made.madds[:, 1]).all()


def test_networks_of_a_pair_share_their_seed_and_no_one_else_does(whole):
    seeds = {}
    for trial in whole.ledger.trials():
        attrs = trial.user_attrs
        seeds.setdefault((attrs["pair"], attrs["place"]), set()).add(attrs["seed"])
    assert all(len(each) == 1 for each in seeds.values())
    assert len(set.union(*seeds.values())) == 10
    assert seeds[3, 1] == {pair_seed(7, 3, 1)}


def test_trainings_of_a_pair_lie_side_by_side_and_first_seeds_come_first():
    told = [(task.pair, task.treatment, task.place) for task in tasks(MADE[3], 2)]
    assert told[:4] == [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)]
    assert [place for *_, place in told] == [0] * 6 + [1] * 6


def test_the_rows_tell_what_was_trained(whole):
    told = rows(whole)
    assert len(told) == 20
    assert list(told[0]) == ["pair", "bottleneck", "seed", "arch", "key", "madds", "params", "multiplier", "top1",
                             "top1_se", "seconds", "status", "reason"]  # fmt: skip
    assert [row["bottleneck"] for row in told[:4]] == ["linear", "linear", "relu6", "relu6"]
    assert all(("relu6" in row["arch"]) == (row["bottleneck"] == "relu6") for row in told)
    made = outcome(whole)
    assert [row["top1"] for row in told] == made.top1.ravel().tolist()


@pytest.mark.slow
def test_kills_at_five_random_moments_change_nothing(tmp_path, whole):
    rng, folder = np.random.default_rng(0), tmp_path / "killed"
    for _ in range(5):
        worker = start(folder, 0.05)
        while not (folder / "study.journal").exists() and worker.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.3, 0.9))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    done = sum(trial.state.is_finished() for trial in campaign(folder).ledger.trials())
    evaluator = Pretended()
    made = carried_out(folder, evaluator)
    assert len(evaluator.asked) == 20 - done > 0
    assert (outcome(made).top1 == outcome(whole).top1).all()
    assert list((folder / "checkpoints").iterdir()) == []


@pytest.mark.slow
def test_two_processes_share_and_nothing_is_trained_twice(tmp_path, whole):
    folder, note = tmp_path / "shared", tmp_path / "note"
    workers = [start(folder, 0.02, note) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    trained = note.read_text().split()
    assert len(trained) == len(set(trained)) == 20
    assert (outcome(campaign(folder)).top1 == outcome(whole).top1).all()


def test_more_pairs_and_seeds_keep_what_is_there(tmp_path, whole):
    first, more = Pretended(), Pretended()
    carried_out(tmp_path, first, n=3, seeds=1)
    made = carried_out(tmp_path, more)
    assert (len(first.asked), len(more.asked)) == (6, 14)
    assert (outcome(made).top1 == outcome(whole).top1).all()
    again = Pretended()
    few = carried_out(tmp_path, again, n=3, seeds=1)  # asked for less, it tells less
    assert again.asked == []
    assert outcome(few).top1.shape == (3, 2, 1)
    assert len(rows(few)) == 6


def test_a_training_that_fails_is_kept_and_told(tmp_path):
    fails = MADE[3][1].networks[1].key
    made = carried_out(tmp_path, Pretended(fails=[fails]), n=3, seeds=1)
    told = outcome(made)
    assert told.numbers == (0, 1, 2)
    assert np.isnan(told.top1[1, 1, 0])
    assert np.isnan(told.top1).sum() == 1
    assert told.failed == ("pair 1, relu6, seed 0: nan: the loss is not finite",)
    again = Pretended()
    carried_out(tmp_path, again, n=3, seeds=1)
    assert again.asked == []


def test_a_pair_without_any_result_is_left_out(tmp_path):
    fails = [each.key for each in MADE[3][0].networks]
    made = carried_out(tmp_path, Pretended(fails=fails), n=3, seeds=1)
    assert outcome(made).numbers == (1, 2)


def test_a_study_of_other_networks_is_refused(tmp_path, monkeypatch):
    carried_out(tmp_path, Pretended(), n=3, seeds=1)
    other = [type(pair)(number=place, code=pair.code, width=pair.width, networks=pair.networks)
             for place, pair in enumerate(MADE[5][1:4])]  # fmt: skip
    monkeypatch.setitem(MADE, 3, other)
    with pytest.raises(RunError, match="holds other networks: pair 0 is not the one"):
        campaign(tmp_path, n=3)
