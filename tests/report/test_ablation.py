"""The tables, figures and page of an ablation: the data, what is drawn, what is said, and that a browser shows it."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from archsearch.ablate.contrasts import mean, seed_contrasts
from archsearch.report.ablation import ablation_page, pngs
from archsearch.report.ablation_data import (
    bands_data,
    cells_data,
    comparison_data,
    cost_ratios,
    edf_curves,
    levels_data,
    networks_data,
)
from archsearch.report.ablation_figures import MOST_LINES, cost_plot, paired_plot
from archsearch.report.ablation_forest import forest_data, forest_plot
from archsearch.report.ablation_levels import interaction_plot, levels_plot, trend
from archsearch.report.ablation_words import (
    COLUMNS,
    INTERACTIONS,
    cells,
    errors_of,
    interaction_cells,
    limits,
    notes,
)
from tests.report.test_page import HOSTILE, _browser, _outside

ONE = {"bottleneck": ["linear", "relu6"]}
TWO = {"bottleneck": ["linear", "relu6"], "shortcut": ["all", "none", "narrow"]}
SIZES = {"width": ["0.5", "1.0"], "resolution": ["24", "32"]}
EFFECTS = {"relu6": -0.012, "none": -0.02, "narrow": 0.001}


def trainings(factors=ONE, pairs=30, seeds=2, lost=()):
    """A made-up ablation.csv: every treatment of every pair with every seed; `lost` failed: (pair, label, seed)."""
    rng, rows = np.random.default_rng(3), []
    for pair in range(pairs):
        size = rng.uniform(0, 1)
        for levels in itertools.product(*factors.values()):
            own = sum(EFFECTS.get(level, 0) for level in levels) + rng.normal(0, 0.004)
            own += 0.015 if len(levels) > 1 and levels[:2] == ("relu6", "none") else 0
            for seed in range(seeds):
                failed = (pair, ", ".join(levels), seed) in lost
                rows.append({
                    "pair": pair, **dict(zip(factors, levels, strict=True)), "seed": seed, "arch": "r8", "key": "k",
                    "madds": round(1.2e6 * 8**size), "params": 10_000,
                    "multiplier": None if "width" in factors else (0.5, 1.0)[pair % 2],
                    "top1": np.nan if failed else 0.35 + 0.2 * size + own + rng.normal(0, 0.003), "top1_se": 0.005,
                    "seconds": 3.0, "status": "failed" if failed else "trained", "reason": "nan" if failed else "",
                })  # fmt: skip
    return pd.DataFrame(rows)


def part(name, values):
    known = len(values) > 2
    half = float(stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)) if known else None
    mean = float(np.mean(values)) if len(values) else None
    return {"name": name, "pairs": len(values), "mean": mean, "low": mean - half if known else None,
            "high": mean + half if known else None}  # fmt: skip


def comparison(data, factor, base, level):
    """An entry of the document's comparisons, computed the plain way from the pairs' differences."""
    gaps = data["difference"].to_numpy()
    known, whole, names = len(gaps) > 1, part("", gaps), ("pairs", "mean", "low", "high")
    p = float(stats.ttest_1samp(gaps, 0).pvalue) if known else None
    shown = whole["low"] is not None and not whole["low"] <= 0 <= whole["high"]
    ordered = data.sort_values("madds")["difference"].to_numpy()
    line = stats.linregress(np.log2(data["madds"]), gaps) if len(gaps) > 3 else None
    return {
        "factor": factor, "base": base, "level": level, **{name: whole[name] for name in names},
        "sd": float(np.std(gaps, ddof=1)) if known else None, "p": p, "p_holm": p, "wilcoxon": p, "wilcoxon_holm": p,
        "wins": int((gaps > 0).sum()), "ties": 0, "losses": int((gaps < 0).sum()), "win_rate": 0.1, "win_low": 0.02,
        "win_high": 0.27, "unpaired_low": -0.04, "unpaired_high": 0.02, "narrower": 6.1 if known else None,
        "shown": shown,
        "sentence": f"{level} minus {base}: {'shown' if shown else 'not shown'}.",
        "smallest": {"now": 0.0031, "twice_pairs": 0.0022, "twice_seeds": 0.0027} if known else
                    {"now": None, "twice_pairs": None, "twice_seeds": None},
        "noise": 0.0042 if known else None,
        "bands": [part(f"{i}M to {i + 1}M MAdds", each) for i, each in enumerate(np.array_split(ordered, 3))],
        "widths": [part(f"width {w}", gaps[data["multiplier"] == w]) for w in (0.5, 1.0)],
        "trend": line and {"slope": line.slope, "low": line.slope - 0.002, "high": line.slope + 0.002,
                           "p": line.pvalue},
    }  # fmt: skip


def document(factors=ONE, rows=None, **more):
    rows = trainings(factors) if rows is None else rows
    networks = networks_data(rows)
    compared = []
    for factor, (base, *levels) in factors.items():
        for level in levels:
            data = comparison_data(networks, factor, base, level)
            compared.append(comparison(data, factor, base, level))
    failed = rows[rows["status"] == "failed"]
    return {
        "folder": "results/a", "design": "factors", "about": "ReLU6 behind the bottleneck or nothing", "space": "small",
        "budgets": {"madds": "10M"}, "data": "cifar10", "match": "none", "fraction": 1,
        "factors": [{"name": name, "levels": levels} for name, levels in factors.items()],
        "pairs": min(each["pairs"] for each in compared), "asked": rows["pair"].nunique(),
        "failed": [f"pair {row.pair}, seed {row.seed}: nan" for row in failed.itertuples()],
        "seeds": rows["seed"].nunique(), "seed": 0, "epochs": 4, "images": 10_000, "recipe": "quick", "device": "cpu",
        "comparisons": compared, "interactions": [term(*each) for each in itertools.combinations(factors, 2)],
        "verdicts": [each["sentence"] for each in compared], "written": [],
    } | more  # fmt: skip


def term(first, second):
    return {"term": f"{first} x {second}", "f": 9.31, "df": 2, "df_error": 55, "p": 0.00031, "p_holm": 0.00031,
            "eta": 0.253}  # fmt: skip


def nulls(value):
    """The same with every number of the comparisons unknown."""
    keep = ("factor", "base", "level", "pairs", "shown", "sentence", "bands", "widths")
    return {name: each if name in keep else None for name, each in value.items()} | {"bands": [], "widths": []}


# tables ---------------------------------------------------------------------------------------------------------------


def test_a_network_is_a_pair_and_a_treatment_with_the_mean_of_its_seeds():
    rows = trainings(pairs=3, seeds=3, lost={(1, "relu6", 2)})
    data = networks_data(rows)
    assert list(data.columns[:8]) == ["pair", "label", "bottleneck", "madds", "params", "multiplier", "top1", "sd"]
    assert len(data) == 6
    own = rows[(rows["pair"] == 1) & (rows["bottleneck"] == "relu6")]["top1"].dropna()
    row = data[(data["pair"] == 1) & (data["label"] == "relu6")].iloc[0]
    assert (len(own), row["top1"], row["sd"]) == (2, pytest.approx(own.mean()), pytest.approx(own.std(ddof=1)))
    assert np.isnan(row["seed 2"])
    assert networks_data(trainings(TWO, pairs=1))["label"].iloc[1] == "linear, none"


def test_columns_keep_apart_from_factors_and_older_files_are_read():
    rows = trainings(pairs=3)
    older = rows.rename(columns={"multiplier": "width"})
    pd.testing.assert_frame_equal(networks_data(older), networks_data(rows))
    sized = trainings(SIZES, pairs=3)
    data = networks_data(sized)
    assert list(data.columns[:9]) == ["pair", "label", "width", "resolution", "madds", "params", "multiplier", "top1",
                                      "sd"]  # fmt: skip
    assert data["width"].tolist() == ["0.5", "0.5", "1.0", "1.0"] * 3
    assert data["multiplier"].isna().all()


@pytest.mark.parametrize("rows", [pd.DataFrame(), trainings(TWO, pairs=1).iloc[:0]])
def test_a_table_of_nothing_has_its_columns(rows):
    whole, data = networks_data(trainings(TWO, pairs=1)), networks_data(rows)
    factors = [name for name in TWO if name in rows]
    assert list(data.columns) == ["pair", "label", *factors, *whole.columns[4:9]]
    assert data.empty
    assert data[list(whole.columns[4:9])].dtypes.eq(float).all()


def test_a_level_costs_what_it_costs_over_its_base():
    networks = networks_data(trainings(TWO, pairs=4))
    assert cost_ratios(networks, "shortcut", "all", "none").tolist() == [1.0] * 4
    dear = networks.assign(madds=networks["madds"] * np.where(networks["shortcut"] == "none", 1.5, 1))
    assert cost_ratios(dear, "shortcut", "all", "none") == pytest.approx([1.5] * 4)
    assert cost_ratios(dear, "bottleneck", "linear", "relu6") == pytest.approx([1.0] * 4)
    assert len(cost_ratios(dear, "bottleneck", "linear", "absent")) == 0


def test_a_network_without_a_result_stays_in_the_table_and_leaves_the_figures():
    networks = networks_data(trainings(pairs=3, seeds=1, lost={(1, "relu6", 0)}))
    assert networks["top1"].isna().sum() == 1
    assert comparison_data(networks, "bottleneck", "linear", "relu6")["pair"].tolist() == [0, 2]
    assert len(levels_data(networks, "bottleneck")) == 5


def test_a_failed_seed_does_not_tilt_its_pairs_difference():
    rows = trainings(pairs=2, seeds=3, lost={(0, "relu6", 1)})
    rows.loc[(rows["pair"] == 0) & (rows["bottleneck"] == "linear") & (rows["seed"] == 1), "top1"] = 0.99
    data = comparison_data(networks_data(rows), "bottleneck", "linear", "relu6")
    wide = rows[rows["pair"] == 0].pivot_table(index="seed", columns="bottleneck", values="top1").dropna()
    gaps = wide["relu6"] - wide["linear"]
    first = data.iloc[0]
    assert first["difference"] == pytest.approx(gaps.mean())
    assert first["level"] - first["base"] == pytest.approx(first["difference"])
    assert first["se"] == pytest.approx(gaps.std(ddof=1) / np.sqrt(2))


def test_with_several_factors_treatments_that_differ_in_one_are_compared():
    rows = trainings(TWO, pairs=2, lost={(0, "relu6, none", 0), (0, "relu6, none", 1)})
    rows.loc[(rows["pair"] == 0) & (rows["shortcut"] == "none"), "top1"] -= 0.3
    data = comparison_data(networks_data(rows), "bottleneck", "linear", "relu6")
    own = rows[(rows["pair"] == 0) & (rows["shortcut"] != "none")].groupby("bottleneck")["top1"].mean()
    assert data["difference"].iloc[0] == pytest.approx(own["relu6"] - own["linear"])


def test_a_pair_with_a_fraction_of_the_treatments_is_compared_by_its_means():
    rows = trainings({"a": ["0", "1"], "b": ["0", "1"], "c": ["0", "1"]}, pairs=1)
    rows = rows[(rows["a"] == rows["b"]) == (rows["c"] == "1")]
    data = comparison_data(networks_data(rows), "a", "0", "1")
    means = rows.groupby("a")["top1"].mean()
    assert data["difference"].tolist() == pytest.approx([means["1"] - means["0"]])
    lacking = rows[~((rows["a"] == "1") & (rows["b"] == "1"))]  # now "b" is 0 with "a" at 1, and both with "a" at 0
    assert comparison_data(networks_data(lacking), "a", "0", "1").empty


@pytest.mark.parametrize("factors", [ONE, TWO])
def test_differences_are_those_of_the_statistics(factors):
    rows = trainings(factors, pairs=7, seeds=3, lost={(2, "relu6", 1), (3, "relu6, all", 0), (3, "linear, none", 2)})
    names, seeds = list(factors), rows["seed"].nunique()
    codes = np.array(list(itertools.product(*(range(len(each)) for each in factors.values()))))
    top1 = rows["top1"].to_numpy().reshape(7, len(codes), seeds)
    for place, name in enumerate(names):
        for level in range(1, len(factors[name])):
            data = comparison_data(networks_data(rows), name, factors[name][0], factors[name][level])
            by_seed = seed_contrasts(top1, codes, place, level)
            assert data["difference"].to_numpy() == pytest.approx(mean(by_seed, axis=1))


def test_bands_lie_where_their_pairs_do():
    data = comparison_data(networks_data(trainings(pairs=7)), "bottleneck", "linear", "relu6")
    costs = np.sort(data["madds"])
    bands = [part("few", [0.1] * 3) | {"low": 0.0, "high": 0.2}, part("one", [0.1]), part("more", [0.1, 0.2, 0.3])]
    found = bands_data(data, bands)
    assert found["name"].tolist() == ["few", "more"]
    assert found["right"].tolist() == [costs[2], costs[6]]
    assert found["left"].tolist() == [costs[0], costs[4]]
    assert len(bands_data(data, [])) == 0


def test_a_band_of_a_distribution_function_is_that_of_the_exact_test():
    data = levels_data(networks_data(trainings(pairs=20)), "bottleneck")
    curve = edf_curves(data, ["relu6", "absent"])["relu6"]
    assert curve.x.tolist() == pytest.approx(np.sort(1 - data["top1"][data["level"] == "relu6"]))
    eps = float((curve.high - curve.share)[0])
    shifted = stats.kstest(np.linspace(0.5 / 20, 1 - 0.5 / 20, 20) + eps - 0.5 / 20, "uniform", method="exact")
    assert shifted.pvalue == pytest.approx(0.05, abs=1e-3)
    assert (curve.low.min(), curve.high.max()) == (0, 1)


def test_cells_leave_out_how_much_pairs_differ():
    rows = trainings(TWO, pairs=10)
    data = cells_data(networks_data(rows), TWO)
    assert len(data) == 6
    plain = rows.groupby(["bottleneck", "shortcut"])["top1"].mean()
    found = data.set_index(["line", "place"])
    assert found["mean"].to_dict() == pytest.approx(plain.to_dict())
    moved = rows.assign(top1=rows["top1"] + 0.05 * rows["pair"])
    assert cells_data(networks_data(moved), TWO)["half"].tolist() == pytest.approx(data["half"].tolist())
    assert data["half"].between(0.001, 0.006).all()
    assert cells_data(networks_data(trainings(TWO, pairs=1)), TWO)["half"].isna().all()


# figures --------------------------------------------------------------------------------------------------------------


def compared(pairs=30, **more):
    told = document(rows=trainings(pairs=pairs, **more))
    networks = networks_data(trainings(pairs=pairs, **more))
    return comparison_data(networks, "bottleneck", "linear", "relu6"), told["comparisons"][0]


def test_every_pair_is_a_line_of_its_signs_colour_and_a_point():
    data, told = compared()
    lines = [trace for trace in paired_plot(data, told).data if trace.xaxis == "x"]
    assert [trace.name for trace in lines] == [f"higher ({told['wins']})", f"lower ({told['losses']})", "mean"]
    assert [len(trace.x) // 3 for trace in lines[:2]] == [told["wins"], told["losses"]]
    assert np.diff(lines[2].y)[0] == pytest.approx(told["mean"])
    many, told = compared(pairs=MOST_LINES + 1)
    figure = paired_plot(many, told)
    assert sum(len(trace.x) for trace in figure.data if trace.mode == "markers") == MOST_LINES + 1
    assert not any(trace.name == "mean" for trace in figure.data)


def test_the_difference_against_cost_has_mean_bands_and_trend_in_points():
    data, told = compared()
    traces = {trace.name: trace for trace in cost_plot(data, told).data}
    assert set(traces) == {"a pair", "mean", "its 95 % interval", "mean of a part, 95 % interval", "trend"}
    assert traces["mean"].y == pytest.approx([100 * told["mean"]] * 2)
    assert traces["a pair"].error_y.array == pytest.approx(100 * data["se"])
    line = stats.linregress(np.log2(data["madds"]), 100 * data["difference"])
    assert traces["trend"].y == pytest.approx(line.intercept + line.slope * np.log2(traces["trend"].x))
    bare = cost_plot(data, nulls(told))
    assert [trace.name for trace in bare.data] == ["a pair"]


def test_the_forest_shows_all_intervals_and_tells_shown_from_not_shown():
    told = document(TWO)
    data = forest_data(told["comparisons"])
    assert data["kind"].value_counts().to_dict() == {"part": 15, "shown": 2, "not shown": 1}
    figure = forest_plot(data)
    strong, weak, _ = figure.data
    assert (strong.marker.symbol, weak.marker.symbol) == ("circle", "circle-open")
    assert strong.error_x.thickness > weak.error_x.thickness
    assert sum(len(trace.x) for trace in figure.data) == len(data) == len(figure.layout.annotations)
    low, high = figure.layout.xaxis.range
    assert low < 100 * data["low"].min() < 0 < 100 * data["high"].max() < high
    empty = forest_plot(forest_data([]))
    assert len(empty.layout.annotations) == 0
    unknown = forest_plot(forest_data([nulls(told["comparisons"][0])]))
    assert "not known" in unknown.layout.annotations[0].text


def test_a_level_has_marks_and_a_line_over_log_madds():
    data = levels_data(networks_data(trainings()), "bottleneck")
    marks = [trace for trace in levels_plot(data, ONE["bottleneck"]).data if trace.mode == "markers"]
    assert [(trace.name, len(trace.x)) for trace in marks] == [("linear", 30), ("relu6", 30)]
    own = data[data["level"] == "linear"]
    alike = own.assign(madds=1e6)
    assert set(np.round(trend(alike, flat=True)[1], 9)) == {round(own["top1"].mean(), 9)}
    assert trend(own.iloc[:2], flat=False) == ([], [])
    x, y = trend(own.assign(top1=np.log2(own["madds"]) ** 2), flat=False)
    assert y == pytest.approx(np.log2(x) ** 2)


def test_factors_have_a_figure_of_every_two_of_them():
    three = {**ONE, "a": ["0", "1"], "b": ["0", "1"]}
    figure = interaction_plot(networks_data(trainings(three, pairs=4)), three)
    assert len(figure.data) == 3 * 2
    assert figure.layout.legend3.title.text == "a: "
    assert figure.layout.xaxis3.title.text == "b"
    assert [trace.legend for trace in figure.data[::2]] == ["legend", "legend2", "legend3"]


def test_files_are_named_by_what_is_compared():
    assert set(pngs(document(), networks_data(trainings()))) == {"forest", "paired", "cost", "edf"}
    several = pngs(document(TWO), networks_data(trainings(TWO)))
    assert {"paired-shortcut-none", "cost-bottleneck-relu6", "edf-shortcut", "interactions"} < set(several)
    odd = {"a/b": ["0", "../1", "2"]}
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_") for name in
               pngs(document(odd), networks_data(trainings(odd, pairs=3))))  # fmt: skip


# words ----------------------------------------------------------------------------------------------------------------


def test_cells_fill_the_columns():
    told = document()["comparisons"][0] | {
        "mean": -0.012,
        "low": -0.017,
        "high": -0.0071,
        "p": 0.00012,
        "p_holm": 0.0123,
    }
    row = dict(zip(COLUMNS, cells(told), strict=True))
    assert row["comparison"] == "bottleneck: relu6 minus linear"
    assert (row["mean"], row["95 % interval"]) == ("-1.20", "-1.70 to -0.71")
    assert row["higher in"] == f"{told['wins']} of 30"
    assert (row["p"], row["p (Holm)"], row["smallest"], row["verdict"]) == ("1.2e-04", "0.012", "0.31", "shown")
    unknown = dict(zip(COLUMNS, cells(nulls(told) | {"shown": False}), strict=True))
    assert set(list(unknown.values())[1:-1]) == {"-"}
    assert unknown["verdict"] == "not shown"


def test_interactions_say_what_cannot_be_told():
    row = dict(zip(INTERACTIONS, interaction_cells(term("a", "b")), strict=True))
    assert (row["term"], row["F"], row["verdict"]) == ("a x b", "9.31 (2, 55)", "shown")
    assert "pairs as blocks" in errors_of([term("a", "b")])
    assert "Greenhouse" in errors_of([term("a", "b") | {"error": "own"}])
    unknown = dict.fromkeys(term("a", "b")) | {"term": "a x b"}
    assert errors_of([unknown]) == ""
    assert interaction_cells(unknown | {"estimable": False})[1] == "not estimable"
    assert interaction_cells(unknown | {"estimable": True}) == ["a x b", "-", "-", "-", "-", "not shown"]


def test_notes_tell_what_pairs_and_seeds_bring():
    first, second, _ = notes(document(rows=trainings(lost={(0, "relu6", 0)}), asked=31))
    assert "30 pairs (1 of 31 without a result), 2 seeds each, 1 training failed" in first
    for words in ("80 % power 0.31 points", "twice the pairs 0.22, with twice the seeds 0.27", "6.1 times as wide"):
        assert words in second
    assert "would show" not in second
    assert len(notes(document(rows=trainings(pairs=1, seeds=1)))) == 1


def test_notes_tell_how_many_pairs_would_show_what_is_not_shown():
    told = document()["comparisons"][0] | {"mean": -0.0012, "needed": 140}
    for shown, words in ((False, 1), (True, 0)):
        text = " ".join(notes(document(comparisons=[told | {"shown": shown}])))
        assert text.count("about 140 pairs would show an effect of this size (-0.12 points)") == words
    assert "would show" not in " ".join(notes(document(comparisons=[told | {"shown": False, "needed": None}])))


def test_notes_tell_the_effect_by_cost_and_width_and_its_trend():
    span = {"low": -0.014, "high": -0.002}
    cheap, dear = ({"name": f"{ends} MAdds", "pairs": 9, "mean": mean, **span} for ends, mean in
                   (("1.3M to 2.1M", -0.008), ("2.2M", -0.005)))  # fmt: skip
    told = document()["comparisons"][0] | {
        "bands": [cheap, dear, {**dict.fromkeys(cheap), "name": "nothing"}],
        "widths": [{**cheap, "name": "width 0.5"}, {"name": "width 1", "pairs": 2, "mean": 0.001, "low": None}],
        "trend": {"slope": -0.003, "low": -0.009, "high": 0.003, "p": 0.3},
    }
    assert notes(document(comparisons=[told]))[2] == (
        "relu6 minus linear: by MAdds: -0.80 [-1.40, -0.20] (1.3M to 2.1M), -0.50 [-1.40, -0.20] (2.2M); "
        "by width: -0.80 [-1.40, -0.20] (0.5), +0.10 (1); change per doubling of MAdds -0.30 [-0.90, +0.30]."
    )
    assert len(notes(document(comparisons=[told | {"bands": [cheap], "widths": [], "trend": None}]))) == 2
    assert notes(document(TWO))[2].startswith("bottleneck: relu6 minus linear: by MAdds")


def test_a_part_of_a_difference_is_called_cost_only_where_costs_differ():
    networks = networks_data(trainings(TWO))
    dear = networks.assign(madds=networks["madds"] * np.where(networks["shortcut"] == "none", 1.5, 1))
    same, other = (" ".join(limits(document(TWO), each)) for each in (networks, dear))
    assert "cost the same MAdds within 0.5 %" in same
    assert "not matched in cost" not in same
    assert "may be the cost: shortcut: none minus all (1.50 times the MAdds)." in other
    assert "where MAdds differ, part of a difference may be the cost" in " ".join(limits(document(TWO)))


def test_limits_come_from_the_runs_own_numbers():
    text = " ".join(limits(document()))
    for words in ("4 epochs of 10,000 images", "nothing about a full training", "networks of small within MAdds 10M",
                  "relu6 minus linear (0.31 points)", "not matched in cost", "hints"):  # fmt: skip
        assert words in text
    assert "With one seed" not in text
    poor = " ".join(limits(document(rows=trainings(pairs=4, seeds=1), fraction=2, match="madds", failed=["x"])))
    for words in ("With 4 pairs the intervals themselves are rough", "With one seed", "one in 2 of the combinations",
                  "same MAdds", "Trainings that failed (1) count for no level"):  # fmt: skip
        assert words in poor


# page -----------------------------------------------------------------------------------------------------------------


def page(factors=ONE, rows=None, **more):
    rows = trainings(factors) if rows is None else rows
    return ablation_page(document(factors, rows, **more), networks_data(rows), command={"x": HOSTILE},
                         manifest={"argv": ["a", HOSTILE]})  # fmt: skip


def test_names_are_text_on_the_page():
    factors = {HOSTILE: ["base", HOSTILE], "b": ["0", f"1{HOSTILE}"]}
    hostile = dict.fromkeys(("about", "space", "data", "recipe", "device"), HOSTILE)
    text = page(factors, trainings(factors, pairs=5), **hostile, failed=[HOSTILE] * 9, budgets={"madds": HOSTILE},
                verdicts=[HOSTILE])  # fmt: skip
    assert HOSTILE not in text
    assert text.count("<script") == text.count("</script>")
    assert "4 further trainings failed" in text


def test_not_shown_is_said_as_plainly_as_shown():
    text = page(TWO)
    assert "<li>none minus all: shown.</li>" in text
    assert "<li>narrow minus all: not shown.</li>" in text


def test_what_a_formula_made_is_not_called_a_training():
    text = page(evaluator="synthetic")
    assert "no network was trained" in text
    assert "Each network was trained" not in text
    assert "no network was trained" not in page()


def test_a_page_of_factors_that_are_named_like_measures_can_be_made():
    rows = trainings(SIZES, pairs=5)
    text = page(SIZES, rows)
    assert "width: 1.0 minus 0.5" in text
    assert "resolution: 32 minus 24" in text
    drawn = pngs(document(SIZES, rows), networks_data(rows))
    assert {"cost-width-1_0", "edf-resolution", "interactions"} < set(drawn)
    assert len(drawn["paired-width-1_0"].data[0].x) > 0


def test_a_page_tells_how_many_pairs_would_show_what_is_not_shown():
    told = document()["comparisons"][0] | {"shown": False, "needed": 140}
    assert "about 140 pairs would show an effect of this size" in page(comparisons=[told])


def test_a_page_speaks_of_one_thing_as_one():
    text = page(rows=trainings(pairs=3, seeds=1), epochs=1, images=1, failed=["x"] * 6)
    assert "1 seed each, 1 epoch of 1 image of" in text
    assert "1 further training failed" in text
    for wrong in ("1 seeds", "1 epochs", "1 images", "1 trainings"):
        assert not re.search(rf"\b{wrong}", text)


def test_a_page_of_one_pair_and_one_of_nothing_can_be_made():
    assert "1 pair of networks" in page(rows=trainings(pairs=1, seeds=1))
    rows = trainings(pairs=2, seeds=1).assign(top1=np.nan)
    told = document(comparisons=[nulls(document()["comparisons"][0]) | {"pairs": 0}], pairs=0, verdicts=[])
    text = ablation_page(told, networks_data(rows), command={}, manifest={})
    assert "no pair has a result on both sides" in text
    assert "no network has a result" in text
    assert set(pngs(told, networks_data(rows))) == {"forest", "paired", "cost", "edf"}
    assert "no network has a result" in ablation_page(told, networks_data(rows.iloc[:0]), command={}, manifest={})


@pytest.mark.slow
def test_a_browser_shows_the_page_without_errors(tmp_path, browser_path):
    factors = {HOSTILE: ["base", HOSTILE], "b": ["0", "1", "2"]}
    path = tmp_path / "ablation.html"
    path.write_text(page(factors, trainings(factors, pairs=6)))
    with _browser(browser_path) as (tab, errors, requests):
        tab.set_viewport_size({"width": 390, "height": 800})
        tab.goto(path.as_uri())
        tab.wait_for_selector("#chart-12 .hoverlayer", state="attached")
        assert tab.locator("#chart-3 .scatterlayer path.point").count() == 6
        assert tab.evaluate("window.hit === undefined")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        assert errors == []
        assert _outside(requests) == []
