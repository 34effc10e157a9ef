"""A search that expects no more stops; not before, and not for lack of words."""

from dataclasses import replace

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import RunError
from archsearch.records import GAIN, TRAINED
from archsearch.search.flat import LAST, LEAST, gain, is_flat, percent, read_share
from tests.search.conftest import Noting, make_run

GAINS = st.lists(st.none() | st.floats(0, 1), max_size=50)


def trials_of(gains):
    """Trained trials that tell these gains; None tells none."""
    return [
        optuna.trial.create_trial(
            value=0.5, user_attrs={"status": TRAINED}, system_attrs={} if each is None else {GAIN: each}
        )
        for each in gains
    ]  # fmt: skip


@given(GAINS, st.integers(0, 60))
def test_the_gain_is_the_median_of_the_newest_that_tell_one(gains, since):
    told = [each for each in gains[since:] if each is not None][-LAST:]
    expected = sorted(told)[(len(told) - 1) // 2 : len(told) // 2 + 1]
    found = gain(trials_of(gains), since=since)
    assert found == (pytest.approx(sum(expected) / len(expected)) if told else None)


@given(GAINS, st.floats(1e-6, 0.9))
def test_flat_means_enough_trained_enough_told_and_little_expected(gains, share):
    trials = trials_of(gains)
    told = [each for each in gains if each is not None]
    flat = len(trials) >= LEAST and len(told) >= LAST and gain(trials) < share
    assert (is_flat(trials, share) is not None) == flat


def test_gains_under_other_budgets_do_not_count():
    trials = trials_of([1e-9] * 30)
    assert is_flat(trials, 0.01) is not None
    assert is_flat(trials, 0.01, since=25) is None


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("0.1%", 0.001),
        ("0.001", 0.001),
        ("5 %", 0.05),
        (".5%", 0.005),
        ("1e-3", 0.001),
        ("1E-1 %", 0.001),
        (".1e-2", 0.001),
        ("1.e-3", 0.001),
    ],
)
def test_a_share_reads_with_and_without_percent(text, share):
    assert read_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["0", "0%", "100%", "1", "-1%", "little", "", "1e0", "1e", "e-3", "1e-400"])
def test_what_is_no_share_is_told(text):
    with pytest.raises(RunError, match="must be a share of the hypervolume"):
        read_share(text)


def test_a_flat_run_stops_early_stays_stopped_and_says_why(tmp_path, silent):
    options = {"space": "nas_bench_macro", "sampler": "greybox", "trials": 200, "stop_when_flat": 0.05}
    run = make_run(tmp_path / "run", **options)
    why = run.search(Noting(), silent)
    trials = run.ledger.trials()
    assert why.startswith("flat: the next network is expected to add ")
    assert LEAST <= len(trials) < 200
    assert gain(trials) < 0.05 <= gain(trials[:-1]) or len(trials) == LEAST
    assert make_run(tmp_path / "run", **options).search(Noting(), silent) == why
    assert len(run.ledger.trials()) == len(trials)


class Equal(Noting):
    """Every network has one accuracy."""

    top1 = 0.0

    def evaluate(self, arch, job):
        return replace(super().evaluate(arch, job), top1=self.top1, top1_se=0.0)


@pytest.mark.parametrize("minimize", [("madds",), ()])
@pytest.mark.parametrize("top1", [0.0, 0.7])
def test_where_all_accuracies_are_equal_the_next_network_adds_nothing(tmp_path, silent, minimize, top1):
    run = make_run(tmp_path / "run", space="nas_bench_macro", trials=40, minimize=minimize, stop_when_flat=0.001)
    evaluator = Equal()
    evaluator.top1 = top1
    assert run.search(evaluator, silent).startswith("flat: ")
    assert 0 <= gain(run.ledger.trials()) < 1e-3


def test_shares_are_told_with_two_digits():
    assert [percent(share) for share in (1.0, 0.123, 0.0123, 0.0004, 1e-9)] == [
        "100 %", "12 %", "1.2 %", "0.04 %", "less than 0.0001 %",
    ]  # fmt: skip
