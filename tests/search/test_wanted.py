"""Networks asked for by hand, and results taken over from elsewhere."""

import json

import numpy as np
import pytest
from optuna.trial import TrialState

from archsearch import plugins
from archsearch.records import GIVEN, WANTED
from archsearch.search.history import SOURCE, read
from archsearch.search.ledger import NewTrial
from archsearch.search.samplers import distributions
from archsearch.spec.canon import key
from archsearch.spec.text import to_text
from tests.search.conftest import Noting, make_run, story

OPTIONS = {"space": "nas_bench_macro", "budgets": {"madds": "40%"}}


def known(run):
    """Codes of ten different networks that fit, and of one that does not."""
    everything = run.problem.domain.everything()
    over = next(code for code in next(run.problem.space.enumerate())
                if not run.problem.budget.fits(costs_of(run, code)))  # fmt: skip
    return everything.codes[np.linspace(0, len(everything) - 1, 10).astype(int)], over


def costs_of(run, code):
    from archsearch.cost.count import count

    return count(run.problem.space.decode(code))


def give(run, code, top1, source):
    """A trial whose result comes from another run that made it alike."""
    arch = run.problem.space.decode(code)
    costs = costs_of(run, code)
    run.ledger.add(NewTrial(
        params=run.problem.space.values(code), distributions=distributions(run.problem.space.axes), system_attrs={},
        attrs={"status": GIVEN, SOURCE: source, "equal": True, "top1": top1, "top1_se": 0.01,
               "key": key(arch), "costs": costs,
               "arch": to_text(arch), "arch_json": arch.to_dict(), "worker": "-"},
        constraints=run.problem.budget.excess(costs), state=TrialState.COMPLETE,
        values=run.problem.values(top1, costs),
    ))  # fmt: skip


@pytest.mark.parametrize("sampler", plugins.names("samplers"))
def test_wanted_networks_come_first_in_their_order_once_and_only_where_they_fit(tmp_path, silent, sampler):
    run = make_run(tmp_path / "run", sampler=sampler, trials=5, **OPTIONS)
    codes, over = known(run)
    wanted = [codes[0], over, codes[1], codes[0], codes[2]]
    run.ledger.remember(WANTED, [code.tolist() for code in wanted])
    evaluator = Noting()
    run.search(evaluator, silent)
    first = [key(run.problem.space.decode(code)) for code in codes[:3]]
    assert [name for name, _ in evaluator.evaluated][:3] == first
    assert len(evaluator.evaluated) == len({name for name, _ in evaluator.evaluated}) == 5
    assert [t.user_attrs["key"] for t in run.ledger.trials()][:3] == first


def test_what_is_wanted_later_is_next_and_what_was_trained_is_not_again(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=4, **OPTIONS)
    run.search(Noting(), silent)
    codes, _ = known(run)
    done = run.problem.space.code(run.ledger.trials()[0].params)
    run.ledger.remember(WANTED, [done.tolist(), codes[4].tolist()])
    evaluator = Noting()
    make_run(tmp_path / "run", trials=6, **OPTIONS).search(evaluator, silent)
    assert evaluator.evaluated[0][0] == key(run.problem.space.decode(codes[4]))
    assert len(evaluator.evaluated) == 2


@pytest.mark.parametrize("sampler", ["greybox", "nsga2", "tpe"])
def test_a_stop_among_wanted_ones_changes_nothing(tmp_path, silent, sampler):
    for trials, folder in ((2, "parts"), (12, "parts"), (12, "whole")):
        run = make_run(tmp_path / folder, sampler=sampler, trials=trials, **OPTIONS)
        run.ledger.remember(WANTED, known(run)[0][:4].tolist())
        run.search(Noting(), silent)
    assert story(make_run(tmp_path / "parts", sampler=sampler, **OPTIONS)) == story(run)


@pytest.mark.parametrize("sampler", ["greybox", "random", "nsga2", "tpe"])
def test_given_results_count_for_nothing_and_are_never_trained(tmp_path, silent, sampler):
    run = make_run(tmp_path / "run", sampler=sampler, trials=14, **OPTIONS)
    codes, _ = known(run)
    for index, code in enumerate(codes):
        give(run, code, 0.8 + index / 100, f"run {index % 2}")
    evaluator = Noting()
    run.search(evaluator, silent)
    keys = {key(run.problem.space.decode(code)) for code in codes}
    assert len(evaluator.evaluated) == 14
    assert not keys & {name for name, _ in evaluator.evaluated}
    trials = run.ledger.trials()
    for trial in trials:
        if trial.user_attrs["status"] == "replayed" and trial.user_attrs["key"] in keys:
            assert trial.values == trials[trial.user_attrs["replay_of"]].values
            assert SOURCE in trial.user_attrs
    history = read(run.ledger.study, run.problem.domain, {})
    assert not history.source.any()  # made alike, they stand as this run's own
    assert history.top1[:10].tolist() == [0.8 + index / 100 for index in range(10)]
    assert set(run.problem.domain.look(np.array(codes))) <= history.seen


def test_a_wanted_network_that_was_given_is_not_trained(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=2, **OPTIONS)
    codes, _ = known(run)
    give(run, codes[0], 0.9, "elsewhere")
    run.ledger.remember(WANTED, json.loads(json.dumps(codes[:2].tolist())))
    evaluator = Noting()
    run.search(evaluator, silent)
    assert evaluator.evaluated[0][0] == key(run.problem.space.decode(codes[1]))
    assert key(run.problem.space.decode(codes[0])) not in {name for name, _ in evaluator.evaluated}
