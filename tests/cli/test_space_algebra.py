"""space contains and neighbours; narrower spaces and unions in show and sample."""

import pytest

V2 = "mobilenet_v2_1.4_224"


def test_contains_says_yes_with_the_choices(cli):
    found = cli("space", "contains", "mobilenet_v2", V2, "--json").json
    assert found["contains"] is True
    assert (found["space"], found["values"]["width"], found["values"]["resolution"]) == ("mobilenet_v2", 1.4, 224)
    assert found["unused"] == []
    assert found["madds"] == cli("count", V2, "--json").json["madds"]
    told = cli("space", "contains", "mobilenet_v2", V2)
    assert told.code == 0
    assert told.out.startswith(f"yes: mobilenet_v2 has it as code {found['number']:,}")


def test_contains_marks_what_makes_no_difference(cli):
    drawn = cli("space", "sample", "mobilenet_v2", "-n", 1, "--fix", "stage3.block=ds", "--json").json[0]["arch"]
    assert "stage3.expand" in cli("space", "contains", "mobilenet_v2", drawn, "--json").json["unused"]
    assert "makes no difference here" in cli("space", "contains", "mobilenet_v2", drawn).out


@pytest.mark.parametrize(("space", "fix", "told"), [
    ("mobilenet_v2", "stage3.kernel=5,7", "stage 3 kernel is 3, the space has 5, 7"),
    ("nas_bench_macro", "stage3.op=id", "stem width is 48, the space has 32"),
])  # fmt: skip
def test_contains_says_no_with_the_reason(cli, space, fix, told):
    answer = cli("space", "contains", space, V2, "--fix", fix, "--json")
    assert answer.code == 0
    assert answer.json["contains"] is False
    assert told in answer.json["reason"]
    assert told in cli("space", "contains", space, V2, "--fix", fix).out


def test_a_union_contains_what_one_of_its_spaces_has(cli):
    found = cli("space", "contains", "nas_bench_macro+mobilenet_v2", V2, "--fix", "stage3.kernel=3", "--json").json
    assert (found["contains"], found["space"]) == (True, "mobilenet_v2")


def test_neighbours_differ_in_one_choice_and_lie_in_the_space(cli):
    near = cli("space", "neighbours", "mobilenet_v2", V2, "--ordered", "--json").json
    changes = {row["axis"]: (row["from"], row["to"]) for row in near}
    assert changes["width"] == (1.4, 1.3)
    assert changes["resolution"] == (224, 192)
    assert len({row["key"] for row in near}) == len(near)
    assert cli("space", "contains", "mobilenet_v2", near[-1]["arch"], "--json").json["contains"] is True
    more = cli("space", "neighbours", "mobilenet_v2", V2, "--json").json
    assert {row["key"] for row in near} < {row["key"] for row in more}
    assert "1.4 > 1.3" in cli("space", "neighbours", "mobilenet_v2", V2).out


def test_neighbours_of_a_network_outside_are_refused(cli):
    done = cli("space", "neighbours", "nas_bench_macro", V2)
    assert done.code == 2
    assert "not in space nas_bench_macro: stem width" in done.err


def test_fixed_axes_are_fixed_in_show_and_sample(cli):
    fixed = ("--fix", "width=1.0", "--fix", "*.block=ir", "--fix", "stage3.kernel=3,5")
    shown = cli("space", "show", "mobilenet_v2", *fixed, "--json").json
    assert shown["axes"]["stage3.kernel"] == [3, 5]
    assert shown["size"] == 11_297_181_459_240 // 6 // 3**6 // 3 * 2
    for row in cli("space", "sample", "mobilenet_v2", "-n", 4, *fixed, "--json").json:
        found = cli("space", "contains", "mobilenet_v2", row["arch"], *fixed, "--json").json
        assert found["values"]["width"] == 1.0


def test_a_fixed_axis_is_fixed_in_a_profile(cli):
    found = cli("space", "profile", "nas_bench_macro", "--budget-madds", "20M", "--fix", "stage1.op=id", "--json").json
    assert found["size"] == 3**7
    assert [each["value"] for each in found["axes"]["stage1.op"]] == ["id"]


def test_a_union_is_shown_and_sampled(cli):
    both = "nas_bench_macro+mobilenet_v2_small"
    shown = cli("space", "show", both, "--json").json
    assert shown["size"] == 6561 + 661_197_634_560
    assert [space["shared"] for space in shown["spaces"]] == [0, 0]
    assert shown["costs"]["madds"]["max"] > 105_660_928
    assert "2 spaces" in cli("space", "show", both).out
    command = ("space", "sample", both, "-n", 6, "--budget-madds", "30M..60M", "--json")
    rows = cli(*command).json
    assert rows == cli(*command).json
    assert len({row["key"] for row in rows}) == 6
    assert all(30e6 <= row["madds"] <= 60e6 for row in rows)
    assert all(cli("space", "contains", both, row["arch"], "--json").json["contains"] for row in rows)


def test_a_small_union_is_counted_network_by_network(cli):
    shown = cli("space", "show", "nas_bench_macro+nas_bench_macro", "--json").json
    assert (shown["networks"], shown["exact"], shown["size"]) == (3969, True, 2 * 6561)


@pytest.mark.parametrize(("words", "told"), [
    (("show", "mobilenet_v2", "--fix", "kernel=3"), "has no axis 'kernel'"),
    (("show", "mobilenet_v2", "--fix", "width"), "write AXIS=VALUE"),
    (("sample", "mobilenet_v2+nas_bench_macro", "--fix", "stage9.op=id"), "has no axis 'stage9.op'"),
    (("profile", "mobilenet_v2+nas_bench_macro"), "is several spaces, and this needs one"),
    (("sample", "mobilenet_v2+nas_bench_macro", "--band", "0.9..1.0"), "--band and --spread are for one space"),
    (("sample", "mobilenet_v2+nothing"), "no space or file is called 'nothing'"),
    (("sample", "nas_bench_macro+mobilenet_v2_small", "--budget-madds", "1k"), "they can have madds from"),
])  # fmt: skip
def test_wrong_input_is_one_line_and_code_2(cli, words, told):
    done = cli("space", *words)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_the_number_of_classes_is_the_networks(cli):
    ten = cli("count", V2, "--json").json["arch"].replace("n1000", "n10")
    assert cli("space", "contains", "mobilenet_v2", ten, "--json").json["contains"] is True
    assert all("_n10" in row["arch"] for row in cli("space", "neighbours", "mobilenet_v2", ten, "--json").json)
