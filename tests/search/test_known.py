"""Which earlier results evaluators that learn are shown."""

from dataclasses import replace

import pytest

from archsearch.search.given import Earlier
from archsearch.search.known import labels, measured
from archsearch.spec.text import from_text
from tests.search.conftest import Noting, make_run

SPACE = {"space": "nas_bench_macro", "budgets": {"madds": "70M"}}


@pytest.fixture
def earlier(tmp_path, silent):
    """A finished run on images "abc", as `--from` opens it, and the problem."""
    run = make_run(tmp_path / "first", trials=9, **SPACE)
    run.search(Noting(), silent)
    config = replace(run.config, data_hash="abc", evaluator="train")
    return Earlier(name="first", config=config, trials=run.ledger.trials()), run.problem


def test_runs_on_the_same_images_are_learnt_from(earlier):
    run, problem = earlier
    found = labels([measured(run)], problem, "abc")
    trained = [t for t in run.trials if t.user_attrs["status"] == "trained"]
    assert [each.top1 for each in found.known] == [t.user_attrs["top1"] for t in trained]
    assert [each.top1_se for each in found.known] == [t.user_attrs["top1_se"] for t in trained]
    assert [each.arch for each in found.known] == [from_text(t.user_attrs["arch"]) for t in trained]
    assert found.told == ("first: 9 measured networks to learn from",)


@pytest.mark.parametrize(
    ("change", "data", "why"),
    [
        ({}, "other", "made on other images"),
        ({"data_hash": ""}, "", "made on other images, or on none"),
        ({"evaluator": "naswot"}, "abc", "its values are those of evaluator naswot"),
        ({"evaluator": "predictor"}, "abc", "its values are those of evaluator predictor"),
    ],
)
def test_other_images_and_values_that_nobody_measured_are_left_out(earlier, change, data, why):
    run, problem = earlier
    found = labels([measured(replace(run, config=replace(run.config, **change)))], problem, data)
    assert found.known == ()
    assert why in found.told[0]


def test_of_runs_trained_in_different_ways_the_larger_part_counts_and_a_training_once(earlier):
    run, problem = earlier
    longer = replace(run, name="longer", config=replace(run.config, epochs=run.config.epochs + 1))
    small = replace(longer, trials=run.trials[:4])
    found = labels([measured(each) for each in (small, run, replace(run, name="again"))], problem, "abc")
    assert len(found.known) == 9
    assert found.told[2] == "again: 9 measured networks to learn from"
    assert found.told[0] == "longer: nothing to learn from, its networks were trained otherwise than most"


@pytest.mark.parametrize("change", [{"init_hash": "abc"}, {"evaluator": "supernet"}])
def test_first_weights_and_shared_weights_make_other_levels(earlier, change):
    run, problem = earlier
    other = replace(run, name="other", config=replace(run.config, **change), trials=run.trials[:4])
    found = labels([measured(run), measured(other)], problem, "abc")
    assert len(found.known) == 9
    assert found.told[1] == "other: nothing to learn from, its networks were trained otherwise than most"


def test_two_supernets_are_two_kinds_of_values(earlier):
    run, problem = earlier
    first, second = (replace(run, name=name, config=replace(run.config, evaluator="supernet")) for name in "ab")
    assert "trained otherwise" in labels([measured(first), measured(second)], problem, "abc").told[1]
    same = [replace(each, config=replace(each.config, supernet_hash="net")) for each in (first, second)]
    assert all("9 measured" in told for told in labels([measured(each) for each in same], problem, "abc").told)


def test_networks_that_the_space_has_not_are_left_out(earlier):
    run, problem = earlier
    axis = problem.space.axes[3]
    narrow = replace(problem, space=problem.space.restrict(axis.name, axis.values[:1]))
    kept = labels([measured(run)], narrow, "abc").known
    assert 0 < len(kept) < 9 or kept == ()
    assert all(narrow.space.contains(each.arch) is None for each in kept)
    assert len(kept) == sum(narrow.space.contains(from_text(t.user_attrs["arch"])) is None for t in run.trials)
