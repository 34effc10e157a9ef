"""Comparisons: nothing evaluated twice, nothing lost by a kill, failures counted, the outcome as by hand."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from archsearch.cost.budget import Budget, Limit
from archsearch.errors import CheckpointError, RunError, TrainingError
from archsearch.evaluate.base import Evaluation
from archsearch.explore.compare import Contender, curves, evaluate_all, gaps, labels, network_seed, outcome
from archsearch.explore.draw import draw
from archsearch.explore.store import opened
from archsearch.spec.space_file import read_space

ROOT = Path(__file__).resolve().parents[2]
BAND = Budget(limits={"madds": Limit(low=30_000_000, high=40_000_000)})
WORKER = """
import sys
from pathlib import Path
from tests.explore.test_compare import Noting, compared
compared(Path(sys.argv[1]), Noting(float(sys.argv[2])), n=30)
"""


class Noting:
    """An evaluator whose accuracy follows from the network and the seed; it notes what it was asked."""

    def __init__(self, delay_s=0.0, fails=()):
        self.asked, self._delay_s, self._fails = [], delay_s, fails

    def evaluate(self, arch, job):
        self.asked.append(job.seed)
        job.folder.mkdir(parents=True, exist_ok=True)
        time.sleep(self._delay_s)
        if len(self.asked) in self._fails:
            raise TrainingError("the loss is not a number", reason="nan")
        top1 = (job.seed % 1000) / 1000
        return Evaluation(top1=top1, top1_se=0.01, top5=1.0, seconds=0.0)


def contenders(n):
    spaces = [read_space(name) for name in ("mobilenet_v2_small", "nas_bench_macro")]
    return [
        Contender(label=space.name, networks=draw(space, BAND, n, np.random.default_rng(i)))
        for i, space in enumerate(spaces)
    ]


def compared(folder, evaluator, n=8, seed=0):
    """Evaluate what is missing in a folder; its rows."""
    folder.mkdir(exist_ok=True)
    with opened(folder / "results.jsonl") as store:
        evaluate_all(contenders(n), store, evaluator, seed=seed, folder=folder / "checkpoints",
                     progress=lambda *_: None)  # fmt: skip
        return dict(store.rows)


def test_nothing_is_evaluated_twice_and_more_networks_are_added(tmp_path):
    first, again, more = Noting(), Noting(), Noting()
    rows = compared(tmp_path, first)
    assert compared(tmp_path, again) == rows
    assert again.asked == []
    assert rows.items() <= compared(tmp_path, more, n=11).items()
    assert (len(first.asked), len(more.asked)) == (16, 6)
    assert not list((tmp_path / "checkpoints").glob("*"))


def test_a_network_of_two_spaces_is_evaluated_once(tmp_path):
    networks = draw(read_space("nas_bench_macro"), BAND, 6, np.random.default_rng(0))
    both, evaluator = [Contender(label=name, networks=networks) for name in "ab"], Noting()
    with opened(tmp_path / "results.jsonl") as store:
        evaluate_all(both, store, evaluator, seed=0, folder=tmp_path, progress=lambda *_: None)
        found = outcome(both, store.rows, np.random.default_rng(0), confidence=0.95)
    assert len(evaluator.asked) == 6
    assert found["differences"][0]["median"] == 0
    assert not found["differences"][0]["shown"]
    assert any("6 networks lie in two of the draws" in line for line in found["warnings"])


def test_seeds_depend_on_the_network_and_the_comparison_alone():
    assert network_seed(0, "0123456789ab") == network_seed(0, "0123456789ab")
    assert len({network_seed(seed, key) for seed in range(3) for key in ("0123456789ab", "0123456789ac")}) == 6


@pytest.mark.parametrize("cut", [1, 17, 200])
def test_a_half_written_last_line_costs_one_network_and_is_kept_beside(tmp_path, cut):
    rows = compared(tmp_path, Noting())
    path = tmp_path / "results.jsonl"
    text = path.read_bytes()
    path.write_bytes(text[:-cut])
    evaluator = Noting()
    assert compared(tmp_path, evaluator) == rows
    assert path.read_bytes() == text
    assert len(evaluator.asked) == 1
    assert text.endswith((tmp_path / "results.jsonl.cut").read_bytes() + text[-cut:])


def test_a_line_damaged_further_up_is_told_by_its_number(tmp_path):
    compared(tmp_path, Noting())
    path = tmp_path / "results.jsonl"
    lines = path.read_text().splitlines()
    for damage in ("{", "[]", "{}", "7"):
        path.write_text("\n".join([lines[0], damage, *lines[2:]]) + "\n")
        with pytest.raises(RunError, match="line 2 is damaged"):
            compared(tmp_path, Noting())


def test_a_second_process_is_kept_out(tmp_path):
    with opened(tmp_path / "results.jsonl"):
        with pytest.raises(RunError, match="in use"), opened(tmp_path / "results.jsonl"):
            pass
    with opened(tmp_path / "results.jsonl") as store:
        assert store.rows == {}


def test_failed_networks_are_kept_counted_and_left_out(tmp_path):
    rows = compared(tmp_path, Noting(fails=(2, 3)))
    assert [row["failed"] for row in rows.values() if "failed" in row] == ["nan: the loss is not a number"] * 2
    assert compared(tmp_path, Noting()) == rows
    found = outcome(contenders(8), rows, np.random.default_rng(0), confidence=0.95)
    assert [(each["networks"], each["failed"]) for each in found["spaces"]] == [(7, 1), (7, 1)]
    json.dumps(found, allow_nan=False)


def test_a_checkpoint_that_cannot_be_trusted_begins_anew(tmp_path):
    class Distrusting(Noting):
        def evaluate(self, arch, job):
            fresh = not job.folder.exists()
            job.folder.mkdir(parents=True, exist_ok=True)
            if not fresh:
                raise CheckpointError("last.pt is damaged")
            return super().evaluate(arch, job)

    for each in contenders(8)[0].networks:
        (tmp_path / "checkpoints" / each.key).mkdir(parents=True)
    assert not any("failed" in row for row in compared(tmp_path, Distrusting()).values())


def test_an_accuracy_that_is_no_number_is_a_failure(tmp_path):
    class Lost(Noting):
        def evaluate(self, arch, job):
            return Evaluation(top1=float("nan"), top1_se=0.0, top5=0.0, seconds=0.0)

    rows = compared(tmp_path, Lost())
    assert all("failed" in row for row in rows.values())
    with pytest.raises(RunError, match=r"0 evaluated networks \(8 failed\)"):
        outcome(contenders(8), rows, np.random.default_rng(0), confidence=0.95)


def test_the_outcome_is_that_of_the_errors(tmp_path):
    rows, pair = compared(tmp_path, Noting(), n=20), contenders(20)
    errors = [np.array([1 - rows[each.label, net.key]["top1"] for net in each.networks]) for each in pair]
    found = outcome(pair, rows, np.random.default_rng(0), confidence=0.95)
    assert [each["error_median"] for each in found["spaces"]] == pytest.approx([np.median(each) for each in errors])
    assert found["differences"][0]["median"] == pytest.approx(np.median(errors[1]) - np.median(errors[0]))
    drawn = curves(pair, rows, 0.95)
    between = gaps(pair, rows, 0.95)["nas_bench_macro"]
    for x, gap in zip(between.x, between.gap, strict=True):
        assert gap == pytest.approx(np.mean(errors[1] <= x) - np.mean(errors[0] <= x))
    assert list(drawn) == ["mobilenet_v2_small", "nas_bench_macro"]
    assert all((each.low <= each.share).all() and (each.share <= each.high).all() for each in drawn.values())


def test_unequal_costs_are_told():
    networks = draw(read_space("nas_bench_macro"), Budget(), 60, np.random.default_rng(0))
    networks = sorted(networks, key=lambda each: each.madds)
    pair = [Contender(label="small", networks=networks[:30]), Contender(label="large", networks=networks[30:])]
    rows = {(each.label, net.key): {"top1": i / 40} for each in pair for i, net in enumerate(each.networks)}
    (told,) = outcome(pair, rows, np.random.default_rng(0), confidence=0.95)["warnings"]
    assert "median MAdds of large" in told
    assert "above" in told


def test_labels_are_distinct():
    assert labels(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]


@pytest.mark.slow
def test_sigkill_at_random_moments_changes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    command = [sys.executable, "-c", WORKER, str(tmp_path / "killed"), "0.03"]
    path = tmp_path / "killed" / "results.jsonl"
    for after in (5, 30):
        worker = subprocess.Popen(command, cwd=ROOT)
        while worker.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < after):
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.05))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    done = path.read_bytes().count(b"\n")
    assert 30 <= done < 60
    evaluator = Noting()
    rows = compared(tmp_path / "killed", evaluator, n=30)
    assert len(evaluator.asked) == 60 - done
    assert list(rows.items()) == list(compared(tmp_path / "whole", Noting(), n=30).items())
