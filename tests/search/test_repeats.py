"""Second trainings: only where they are asked for, of trained networks, each a trial of its own."""

from collections import Counter

import numpy as np

from archsearch.evaluate.base import Evaluation
from archsearch.search.greybox import handed_over
from archsearch.surrogate.choose import BEFORE, LOOKS
from tests.search.conftest import Noting, make_run, story

NOISE = 0.01


class Noisy(Noting):
    """The synthetic evaluator with another error for each trial."""

    def evaluate(self, arch, job) -> Evaluation:
        exact = super().evaluate(arch, job)
        top1 = float(np.clip(exact.top1 + NOISE * np.random.default_rng(job.seed).standard_normal(), 0, 1))
        return Evaluation(top1=top1, top1_se=NOISE, top5=1.0, seconds=0.0)


def noisy_run(folder, silent, **options):
    run = make_run(folder, space="nas_bench_macro", budgets={}, sampler="greybox", **options)
    run.search(Noisy(), silent)
    return run


def test_networks_are_trained_again_only_where_that_is_asked_for(tmp_path, silent):
    keys = [t.user_attrs["key"] for t in noisy_run(tmp_path / "once", silent, trials=50).ledger.trials()]
    assert len(set(keys)) == 50
    run = noisy_run(tmp_path / "again", silent, trials=50, repeats=True)
    looks = Counter(t.user_attrs["key"] for t in run.ledger.trials())
    assert 1 < max(looks.values()) <= LOOKS
    for trial in run.ledger.trials():
        if "again_of" in trial.user_attrs:
            first = run.ledger.trials()[trial.user_attrs["again_of"]]
            assert trial.number >= BEFORE
            assert first.number < trial.number
            assert first.user_attrs["key"] == trial.user_attrs["key"]
            assert first.values[0] != trial.values[0]  # a training of its own, with its own seed
    assert {t.user_attrs["status"] for t in run.ledger.trials()} == {"trained"}


def test_a_run_with_repeats_goes_on_as_one_that_never_stopped(tmp_path, silent):
    whole = noisy_run(tmp_path / "whole", silent, trials=44, repeats=True)
    for trials in (33, 37, 44):
        parts = noisy_run(tmp_path / "parts", silent, trials=trials, repeats=True)
    assert story(parts) == story(whole)


def test_what_is_handed_over_names_each_network_once(tmp_path, silent):
    run = noisy_run(tmp_path / "again", silent, trials=50, repeats=True)
    numbers = handed_over(run.ledger.study, run.problem.domain)
    keys = [run.ledger.trials()[number].user_attrs["key"] for number in numbers]
    assert len(keys) == len(set(keys)) > 0
