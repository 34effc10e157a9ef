"""The truth: the same after kills, shared by processes, failures kept, a table's taken as it is, labels read back."""

import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from archsearch.errors import RunError
from archsearch.evaluate.table import Table
from archsearch.spec.canon import key
from archsearch.trust.truth import CHECKPOINTS, TRUTH, from_table, job_seed, known, read
from tests.trust.workers import SPACE, Pretended, made, networks

ROOT = Path(__file__).resolve().parents[2]


def truth(folder, n=6, seeds=2):
    return read(networks(n), seeds, folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    made(folder, Pretended())
    return truth(folder)


def start(folder, *more):
    return subprocess.Popen([sys.executable, "-m", "tests.trust.workers", str(folder), *map(str, more)], cwd=ROOT)


def test_the_truth_has_every_network_and_seed(whole):
    assert whole.top1.shape == (6, 2)
    assert len(np.unique(whole.top1)) == 12  # each training has its own seed
    assert whole.mean == pytest.approx(whole.top1.mean(axis=1))
    assert whole.cost_s >= 0


@pytest.mark.slow
def test_kills_at_five_random_moments_change_nothing(tmp_path, whole):
    rng, folder = np.random.default_rng(0), tmp_path / "killed"
    for _ in range(5):
        worker = start(folder, 0.05)
        while not (folder / CHECKPOINTS).exists() and worker.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.4))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    done = (folder / TRUTH).read_bytes().count(b"\n") if (folder / TRUTH).exists() else 0
    evaluator = Pretended()
    made(folder, evaluator)
    assert len(evaluator.asked) == 12 - done > 0
    assert (truth(folder).top1 == whole.top1).all()
    assert list((folder / CHECKPOINTS).iterdir()) == []


@pytest.mark.slow
def test_two_processes_share_and_nothing_is_trained_twice(tmp_path, whole):
    folder, note = tmp_path / "shared", tmp_path / "note"
    workers = [start(folder, 0.02, note) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    trained = note.read_text().split()
    assert len(trained) == len(set(trained)) == 12
    assert (truth(folder).top1 == whole.top1).all()


def test_more_networks_and_seeds_keep_what_is_there(tmp_path, whole):
    first, more = Pretended(), Pretended()
    made(tmp_path / "t", first, n=4, seeds=1)
    made(tmp_path / "t", more)
    assert (len(first.asked), len(more.asked)) == (4, 8)
    assert (truth(tmp_path / "t").top1 == whole.top1).all()


def test_all_networks_get_their_first_seed_first(tmp_path):
    evaluator = Pretended()
    made(tmp_path / "t", evaluator)
    assert [place for _, place in evaluator.asked] == [0] * 6 + [1] * 6


def test_failures_are_kept_and_told_and_not_tried_again(tmp_path):
    bad = networks()[2].key
    made(tmp_path / "t", Pretended(fails=(bad,)))
    told = truth(tmp_path / "t")
    assert len(told.networks) == 5
    assert told.failed == (f"{bad}: nan: the loss is not finite",)
    again = Pretended()
    made(tmp_path / "t", again)
    assert again.asked == []


def test_one_failed_seed_leaves_the_others(tmp_path):
    class Once(Pretended):
        def evaluate(self, arch, job):
            self.fails = (key(arch),) if job.number == 1 and key(arch) == networks()[0].key else ()
            return super().evaluate(arch, job)

    made(tmp_path / "t", Once())
    told = truth(tmp_path / "t")
    assert np.isnan(told.top1[0]).tolist() == [False, True]
    assert told.mean[0] == told.top1[0, 0]
    assert [len(each) for each in (told.networks, told.failed)] == [6, 0]


def test_a_checkpoint_that_cannot_be_trusted_is_thrown_away(tmp_path, whole):
    folder = tmp_path / "t" / CHECKPOINTS / f"{networks()[0].key}-0"
    folder.mkdir(parents=True)
    (folder / "epochs.json").write_text("damaged")
    made(tmp_path / "t", Pretended())
    assert (truth(tmp_path / "t").top1 == whole.top1).all()


def test_an_accuracy_that_is_no_number_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.pretended.sum", lambda _: math.nan, raising=False)
    made(tmp_path / "t", Pretended(), n=3, seeds=1)
    with pytest.raises(RunError, match="0 networks have a result, at least 3 are needed; .* top-1 of nan"):
        truth(tmp_path / "t", n=3, seeds=1)


def test_progress_counts_trainings(tmp_path):
    told = []
    made(tmp_path / "t", Pretended(), n=3, seeds=2, progress=lambda done, total, text: told.append((done, total)))
    assert told[0] == (0, 6)
    assert told[-1] == (6, 6)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_seeds_differ_between_networks_and_places():
    found = {job_seed(seed, name, place) for seed in (0, 1) for name in ("a" * 12, "b" * 12) for place in range(3)}
    assert len(found) == 12


# labels and tables


def test_labels_are_the_means(tmp_path):
    made(tmp_path / "t", Pretended(fails=(networks()[1].key,)))
    told = truth(tmp_path / "t")
    labels = {key(each.arch): each for each in known(tmp_path / "t")}
    assert labels.keys() == {net.key for net in told.networks}
    for net, mean, own in zip(told.networks, told.mean, told.known(), strict=True):
        assert labels[net.key].top1 == own.top1 == pytest.approx(mean)
        assert labels[net.key].top1_se == own.top1_se == pytest.approx(0.01)  # all seeds see the same images
        assert key(own.arch) == net.key


def test_a_folder_without_truth_is_told(tmp_path):
    with pytest.raises(RunError, match="holds no truth"):
        known(tmp_path)


def test_a_table_s_seeds_are_the_truth(tmp_path):
    nets = networks(4)
    codes = np.array([SPACE.encode(net.arch) for net in nets])
    top1 = np.array([[0.5, 0.6], [0.7, np.nan], [0.8, 0.9], [0.1, 0.3]])
    order = np.lexsort(codes.T[::-1])
    table = Table(name="t", axes=SPACE.axes, codes=codes[order], top1=top1[order], costs={}, space=SPACE,
                  seconds=np.full(4, 30.0))  # fmt: skip
    rows = np.argsort(order).tolist()
    for _ in range(2):  # a second call adds nothing
        from_table(nets, rows, table, tmp_path)
    told = read(nets, 2, tmp_path)
    assert np.array_equal(told.top1, top1, equal_nan=True)
    assert told.cost_s == 30.0
    assert (tmp_path / TRUTH).read_text().count("\n") == 7
    assert len(known(tmp_path)) == 4
