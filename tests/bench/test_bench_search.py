"""The whole benchmark: runs over seeds, in one process or several, its document and its rows."""

import json
from dataclasses import replace

import numpy as np
import pytest

from archsearch.bench.gate import band, complaints, read_band
from archsearch.bench.goal import goal
from archsearch.bench.race import Rules
from archsearch.bench.search import Contest, document, rows, search, times_fewer
from archsearch.bench.tracks import TABULATED, Asked
from archsearch.errors import BudgetError, RunError
from archsearch.pareto import front
from archsearch.spec.space_file import read_space

SPACE = """
about = "a small space for tests"
resolution = 16
classes = 10
stem = { width = 8, stride = 2 }
head = { width = 16 }
[[stage]]
width = [8, 12, 16]
repeats = [1, 2]
[[stage]]
width = [16, 24]
stride = 2
expand = [1, 3, 6]
"""

STAGE = "[[stage]]\nwidth = [8, 12, 16]\nstride = {}\nrepeats = [1, 2, 3]\nexpand = [1, 3, 6]\n"
LARGE = SPACE.split("[[stage]]")[0] + "".join(STAGE.format(stride) for stride in (1, 2, 2, 1))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    path = tmp_path_factory.mktemp("space") / "small.toml"
    path.write_text(SPACE)
    return Asked(table="additive", space=str(path))


def _contest(**changes):
    plain = {"samplers": ("random", "optuna_random", "local"), "seeds": 2, "seed": 5, "rules": Rules(budget=12)}
    return Contest(**(plain | changes))


def _timeless(told):
    """A document without what a clock has measured."""
    if isinstance(told, dict):
        return {name: _timeless(each) for name, each in told.items() if not name.startswith("suggest_ms")}
    return told


def test_the_document_has_the_promised_form(asked):
    told = document(search(asked, _contest()))
    assert (told["table"], told["seeds"], told["budget"]) == ("additive-0", 2, 12)
    assert list(told["samplers"]) == ["random", "optuna_random", "local"]
    for each in told["samplers"].values():
        assert set(each["evaluations_to"]) == {"min", "median"}
        assert list(each["evaluations_to"]["min"]) == ["0.95", "0.99", "0.999"]
        assert {"50", "100", "200"} <= set(each["hypervolume_at"]["median"])
        assert each["suggest_ms"] > 0
        assert each["over_budget"] == 0
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_several_processes_find_what_one_finds(asked):
    contest = _contest(rules=Rules(budget=8, noisy=True, pending=2))
    one, two = (document(search(asked, contest, workers=workers)) for workers in (1, 2))
    assert _timeless(one) == _timeless(two)


def test_a_run_does_not_depend_on_who_else_runs_or_on_the_other_seeds(asked):
    alone = search(asked, _contest(samplers=("local",), seeds=1, seed=6))
    among = search(asked, _contest())
    assert alone.logs["local"][0].codes.tolist() == among.logs["local"][1].codes.tolist()


def test_there_is_one_row_for_each_sampler_seed_and_evaluation(asked):
    outcome = search(asked, _contest())
    told = list(rows(outcome))
    assert len(told) == 3 * 2 * 12
    assert [row["evaluation"] for row in told[:12]] == list(range(1, 13))
    assert {row["seed"] for row in told} == {5, 6}
    for row in told[11::12]:
        runs = outcome.scores[row["sampler"]][row["seed"] - 5]
        assert row["hypervolume_min"] == runs.volume["min"][11]


def test_progress_is_told_run_by_run(asked):
    heard = []
    search(asked, _contest(), told=lambda done, total, text: heard.append((done, total)))
    assert heard == [(done, 6) for done in range(7)]


def test_ratios_are_against_the_best_of_optunas():
    def reached(value):
        return {"evaluations_to": {"min": {"0.99": value}}}

    told = times_fewer({"a": reached(10), "tpe": reached(30.0), "optuna_gp": reached(25.0), "b": reached(None)}, 200)
    assert told["a"]["min"]["0.99"] == {"best": "optuna_gp", "ratio": 2.5, "at_least": None}
    assert told["b"]["min"]["0.99"]["ratio"] is None
    lost = times_fewer({"a": reached(10), "tpe": reached(None)}, 200)["a"]["min"]["0.99"]
    assert lost == {"best": None, "ratio": None, "at_least": 20}
    assert times_fewer({"a": reached(10)}, 200)["a"]["min"]["0.99"]["at_least"] is None


def test_a_landscape_over_a_large_space_is_measured_by_the_best_front_known(tmp_path):
    path = tmp_path / "large.toml"
    path.write_text(LARGE)
    large = Asked(table="deceptive", space=str(path), budgets=(("madds", "15%"),))
    assert read_space(str(path)).size > TABULATED
    outcome = search(large, _contest(samplers=("random", "optuna_random"), seeds=1))
    aim, course = outcome.goal, outcome.course
    assert not aim.exact
    assert outcome.logs["random"][0].over_budget == 0
    assert outcome.logs["optuna_random"][0].over_budget > 0
    for name in outcome.logs:
        assert 0 < outcome.scores[name][0].volume["min"][-1] <= 1
    drawn = course.domain.draw(200, np.random.default_rng(9))
    values = course.values(drawn)
    best = values[front(values)]
    assert aim.best >= -best[:, 0].min()  # a long search beats a few hundred draws


def test_a_large_space_whose_long_search_is_over_has_no_better_neighbour(asked, monkeypatch):
    """The search in the dark, on a course whose true front is known."""
    course = asked.course()
    known, blind = goal(course, []), goal(replace(course, whole=None), [])
    assert (blind.exact, blind.front) == (False, known.front)
    assert blind.volumes == pytest.approx(known.volumes)


def test_shuffled_and_coarsened_courses_are_courses(asked):
    plain, mixed = asked.course(), replace(asked, shuffle=True).course()
    assert sorted(mixed.truth(mixed.whole.codes)) == pytest.approx(sorted(plain.truth(plain.whole.codes)))
    assert goal(mixed, []).volumes == pytest.approx(goal(plain, []).volumes)
    coarse = replace(asked, coarsen=2).course()
    assert {len(axis.values) for axis in coarse.domain.axes} == {2}


def test_wrong_requests_are_told_in_one_line(asked):
    with pytest.raises(BudgetError, match="needs --space"):
        Asked(table="additive").course()
    with pytest.raises(BudgetError, match="no network .* fits"):
        replace(asked, budgets=(("madds", "1..2"),)).course()
    with pytest.raises(BudgetError, match="--under 5M needs a cost"):
        search(replace(asked, minimize=()), _contest(under="5M"))


def test_a_band_read_back_runs_the_same_contest_and_finds_nothing_worse(asked, tmp_path):
    outcome = search(asked, _contest(samplers=("local",)))
    path = tmp_path / "band.json"
    path.write_text(json.dumps(band(asked, outcome)))
    kept, again, contest = read_band(path)
    assert again == asked
    assert contest.samplers == ("local", "random")
    rerun = search(again, contest)
    assert [log.codes.tolist() for log in rerun.logs["local"]] == [log.codes.tolist() for log in outcome.logs["local"]]
    lines = complaints(kept, rerun)
    assert all("no more than random's" in line for line in lines)


def test_a_worse_sampler_breaks_the_band_of_a_better_one(asked):
    large = replace(asked, space="nas_bench_macro")
    good = search(large, _contest(samplers=("local",), seeds=4, rules=Rules(budget=60)))
    bad = search(large, _contest(samplers=("optuna_random",), seeds=4, rules=Rules(budget=60)))
    lines = complaints(band(large, good), bad)
    assert any("at least" in line for line in lines)
    assert complaints(band(large, bad), good) == []


def test_what_is_no_band_is_told_so(tmp_path):
    with pytest.raises(RunError, match="cannot be read"):
        read_band(tmp_path / "nothing.json")
    (tmp_path / "other.json").write_text('{"asked": {}}')
    with pytest.raises(RunError, match="is no band"):
        read_band(tmp_path / "other.json")
