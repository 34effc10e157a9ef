"""A gate: the sampler "greybox" is not worse than it was when its bands were recorded, and better than random search.

A small seeded contest each, on networks whose accuracy is known. To record a band anew, after a change that is meant:

    archsearch bench search --table deceptive --space nas_bench_macro --samplers greybox --seeds 8 --budget 50 \\
        --record tests/bench/quality_deceptive.json
    archsearch bench search --table ../shared/data/tables/nas_bench_macro.csv --samplers greybox --seeds 8 \\
        --budget 60 --record tests/bench/quality_nas_bench_macro.json
"""

from dataclasses import replace
from pathlib import Path

from archsearch.bench.gate import complaints, read_band
from archsearch.bench.search import search

HERE = Path(__file__).parent


def _complaints(name, **changes):
    kept, asked, contest = read_band(HERE / f"quality_{name}.json")
    return complaints(kept, search(replace(asked, **changes), contest))


def test_greybox_is_as_good_as_recorded_on_a_landscape_that_deceives():
    assert _complaints("deceptive") == []


def test_greybox_is_as_good_as_recorded_on_trained_networks(tables):
    assert _complaints("nas_bench_macro", table=str(tables / "nas_bench_macro.csv")) == []


def test_random_search_does_not_pass_the_gate_of_greybox():
    kept, asked, contest = read_band(HERE / "quality_deceptive.json")
    outcome = search(asked, replace(contest, samplers=("random",)))
    assert complaints(kept, outcome) != []
