"""Reading tables: the same from every layout, and one line where something is wrong."""

import json

import pytest

from archsearch.errors import DataError
from archsearch.evaluate.table_file import read_table
from archsearch.evaluate.table_map import parse_map, read_map
from archsearch.spec.space_file import read_space

CSV = "k,d,acc1,acc2,madds\n3,1,71.0,71.5,100\n5,1,72.0,,150\n3,2,75.0,74.0,210\n"
AXES = {"axes": {"k": "k", "d": "d"}}


@pytest.fixture
def read(tmp_path):
    """Read a table from text."""

    def call(text: str, mapping=None, *, name: str = "t.csv", space=None):
        (tmp_path / name).write_text(text)
        return read_table(tmp_path / name, space, mapping)

    return call


def test_published_json_csv_and_parquet_with_a_mapping_are_one_table(layouts):
    tables = {kind: read_table(path, mapping=mapping) for kind, (path, mapping) in layouts.items()}
    assert tables["json"].fingerprint == tables["csv"].fingerprint
    assert {table.space.name for table in tables.values()} == {"nas_bench_macro"}
    one, other = tables["csv"], tables["parquet"]
    assert (one.codes == other.codes).all()
    assert (one.rows_of == other.rows_of).all()
    assert abs(one.top1 - other.top1).max() < 1e-12  # errors in percent are not accuracies to the last bit
    assert all((one.costs[name] == other.costs[name]).all() for name in ("madds", "params"))


def test_the_published_csv_and_its_json_form_are_one_table(macro, tables, tmp_path):
    import pandas

    rows = pandas.read_csv(tables / "nas_bench_macro.csv", dtype={"arch": str}).to_dict("records")
    plain = {row["arch"]: {"test_acc": [row["acc1"], row["acc2"], row["acc3"]], "mean_acc": row["mean_acc"],
                           "std": row["std"], "params": row["params"], "flops": row["macs"]}
             for row in rows}  # fmt: skip
    (tmp_path / "nas-bench-macro_cifar10.json").write_text(json.dumps(plain))
    assert read_table(tmp_path / "nas-bench-macro_cifar10.json").fingerprint == macro.fingerprint
    frame = pandas.DataFrame([{"arch": row["arch"], "top1": [row[f"acc{i}"] for i in (1, 2, 3)]} for row in rows])
    frame.to_parquet(tmp_path / "m.parquet")
    mapping = {"space": "nas_bench_macro", "code": {"column": "arch", "symbols": ["0", "1", "2"]}}
    assert read_table(tmp_path / "m.parquet", mapping=mapping).fingerprint == macro.fingerprint


def test_digits_that_are_not_its_costs_are_not_taken_for_nas_bench_macro(layouts, tmp_path):
    text = layouts["csv"][0].read_text().splitlines()
    swapped = [line.translate(str.maketrans("012", "120")) if i else line for i, line in enumerate(text)]
    rows = [code.split(",")[0] + "," + line.split(",", 1)[1] if i else line
            for i, (code, line) in enumerate(zip(swapped, text, strict=True))]  # fmt: skip
    (tmp_path / "s.csv").write_text("\n".join(rows))
    table = read_table(tmp_path / "s.csv")
    assert table.space is None
    assert [axis.name for axis in table.axes] == [f"arch{number}" for number in range(1, 9)]
    with pytest.raises(DataError, match="madds differs from what is counted in .* rows, most in row"):
        read_table(tmp_path / "s.csv", read_space("nas_bench_macro"))


def test_without_a_space_the_columns_are_the_axes(read):
    table = read(CSV)
    assert [(axis.name, axis.values) for axis in table.axes] == [("k", (3, 5)), ("d", (1, 2))]
    assert table.notes == ("columns taken for axes: k, d",)
    assert table.seeds.tolist() == [2, 2, 1]  # in the order of codes: (3, 1), (3, 2), (5, 1)
    assert table.cost("madds").tolist() == [100, 210, 150]


def test_axes_that_a_space_gives_one_value_need_no_column(read):
    space = read_space("nas_bench_macro")
    for axis in space.axes[1:]:
        space = space.restrict(axis.name, ("id",))
    table = read("stage1.op,acc\nid,45\nir_k5_e6,50\n", space=space)
    assert table.codes[:, 0].tolist() == [0, 2]


def test_text_and_number_columns_give_the_same_axes(read, tmp_path):
    import pandas

    frame = pandas.DataFrame({"k": [3, 5, 3], "d": [1.0, 1.0, 2.0], "acc1": [71.0, 72.0, 75.0],
                              "acc2": [71.5, None, 74.0], "madds": [100, 150, 210]})  # fmt: skip
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").fingerprint == read(CSV).fingerprint
    assert read(CSV.replace(",", "\t"), name="t.tsv").fingerprint == read(CSV).fingerprint
    assert read(frame.to_json(orient="records"), name="t.json").fingerprint == read(CSV).fingerprint


@pytest.mark.parametrize(
    ("unit", "cell"), [("percent", "88"), ("fraction", "0.88"), ("error", "12"), ("error_fraction", "0.12")]
)
def test_every_unit_means_the_same_accuracy(unit, cell, read):
    table = read(f"k,acc\n1,{cell}\n2,{cell}\n", {"accuracy": {"columns": ["acc"], "unit": unit}})
    assert abs(table.mean - 0.88).max() < 1e-12


def test_a_named_unit_settles_accuracies_that_might_be_of_two(read):
    text = "k,acc\n1,71\n2,0.1\n"
    assert read(text, {"accuracy": {"unit": "percent"}}).mean.tolist() == [0.71, 0.001]


def test_row_numbers_without_a_name_and_blanks_around_names_change_nothing(read):
    numbered = "".join(f"{row},{line}\n" for row, line in enumerate(CSV.splitlines()[1:]))
    spaced = CSV.splitlines()[0].replace(",", ", ")
    assert read(f",{spaced}\n{numbered}").fingerprint == read(CSV).fingerprint


def test_curves_of_each_seed_are_told_apart(read):
    text = "k,acc1,acc2,s1e1,s1e2,s2e1,s2e2\n1,60,62,40,60,41,62\n2,70,71,50,70,,71\n"
    table = read(text, {"axes": {"k": "k"}, "curves": "s{seed}e{epoch}"})
    assert table.curves.shape == (2, 2, 2)
    assert table.curves[0].tolist() == [[0.4, 0.6], [0.41, 0.62]]


def test_flops_are_read_with_a_note(read):
    table = read("k,acc,flops\n1,60,1000\n2,70,2000\n")
    assert table.costs["madds"].tolist() == [1000, 2000]
    assert any("column flops is read as multiply-adds" in note for note in table.notes)


def test_costs_that_are_not_the_counted_ones_are_refused_or_trusted(layouts, tmp_path):
    path = tmp_path / "f.csv"
    lines = layouts["csv"][0].read_text().splitlines()
    doubled = [lines[0], *(",".join([*line.split(",")[:-1], str(2 * int(line.split(",")[-1]))]) for line in lines[1:])]
    path.write_text("\n".join(doubled))
    code = {"space": "nas_bench_macro", "code": {"column": "arch", "symbols": ["0", "1", "2"]}}
    with pytest.raises(DataError, match=r"madds differs .*a factor of 0\.5 in the mapping would make them agree"):
        read_table(path, mapping=code)
    halved = {"costs": {"madds": {"column": "macs", "factor": 0.5}, "params": "params"}}
    right = read_table(layouts["csv"][0])
    assert read_table(path, mapping=code | halved).fingerprint == right.fingerprint
    assert read_table(path, mapping=code | {"costs_from": "counted"}).fingerprint == right.fingerprint
    assert (read_table(path, mapping=code | {"costs_from": "table"}).costs["madds"] == 2 * right.costs["madds"]).all()


WRONG = [
    (CSV, {"axes": {"k": "kk"}}, r"t\.csv has no column 'kk': did you mean 'k'"),
    (CSV, {**AXES, "costs": {"madds": "mads"}}, "has no column 'mads': did you mean 'madds'"),
    (CSV, {**AXES, "accuracy": {"columns": "top{seed}"}}, r"no column like 'top\{seed\}'"),
    (CSV, {**AXES, "accuracy": {"columns": ["acc1"], "unit": "fraction"}}, "row 1: acc1 is no accuracy in fraction"),
    (CSV.replace("71.0,71.5", ","), None, r"row 1: no accuracy in acc1, acc2"),
    (CSV.replace("71.0", "good"), None, "row 1: acc1 is 'good', not a number"),
    (CSV.replace("72.0", "-1"), None, "row 2: acc1 is no accuracy in percent"),
    (CSV.replace("210", ""), None, "row 3: madds is missing"),
    (CSV.replace("210", "inf"), None, "row 3: madds is 'inf'"),
    (CSV.replace("210", "-5"), None, "row 3: madds is below 0"),
    (CSV.replace("\n5,1", "\n,1"), None, "row 2: k is empty"),
    (CSV.replace("5,1", "3,1"), None, "rows 1 and 2 are the same code with different top1"),
    (CSV, {"axes": {"k": {"column": "k", "values": {"3": "x"}}}}, r"row 2: '5' is no choice of axis k \(3, x\)"),
    (CSV.replace("71.5", "0.715"), None, r"acc1 is 71 in row 1, acc2 is 0\.715 in row 1: percent, or fractions"),
    ("k,acc,seconds\n1,60,-5\n", None, "row 1: seconds is below 0"),
    (CSV.replace("acc2", "acc1"), None, "two columns are called 'acc1'"),
    ("k,d,acc1\n", None, "no rows"),
    ("", None, "no rows"),
    ("k,d\n1,2\n", None, "no column looks like an accuracy"),
    ("k,test_acc,val_acc\n1,2,3\n", None, "test_acc, val_acc may all be accuracies"),
    ("arch,acc\n012,50\n01,60\n", None, "row 2: arch = '01' has 2 symbols, not 3"),
    ("k,acc\n1,0.5\n2,0.6\n", {"accuracy": {"columns": ["acc"], "unit": "percent"}}, "is the unit fraction"),
    (CSV, {"axis": {}}, "the mapping has no key 'axis': did you mean 'axes'"),
    (CSV, {"accuracy": {"unit": "percents"}}, "accuracy.unit = 'percents': did you mean 'percent'"),
    (CSV, {"costs": {"madds": {"column": "madds", "factor": 0}}}, "factor must be a number above 0"),
    (CSV, {"code": {"separator": "-"}}, "code needs a column"),
    (CSV, {**AXES, "curves": "acc1"}, "write a pattern like acc_epoch"),
    (CSV, {"space": "nas_bench_macro"}, "no column is mapped to axis 'stage1.op' of space nas_bench_macro"),
    (CSV, {"space": "nas_bench_macro", **AXES}, "space nas_bench_macro has no axis 'k'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "mapping", "told"), WRONG, ids=[told for *_, told in WRONG])
def test_what_is_wrong_is_one_line(text, mapping, told, read):
    with pytest.raises(DataError, match=told) as caught:
        read(text, mapping)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "text", "told"), [
    ("t.txt", "", "a table is a file ending in .csv"), ("t.json", "{", "not readable as json"),
    ("t.json", '[{"k": 1, "acc": true}]', "row 1: acc is True, not a number"),
    ("t.json", "[1, 2]", "an object of objects, or a list of objects"), ("t.parquet", "no", "not readable as parquet"),
])  # fmt: skip
def test_a_file_of_another_kind_is_one_line(name, text, told, read):
    with pytest.raises(DataError, match=told) as caught:
        read(text, name=name)
    assert "\n" not in str(caught.value)


def test_a_value_that_is_no_choice_of_the_spaces_axis_is_named(read):
    header = ",".join(f"stage{number}.op" for number in range(1, 9))
    with pytest.raises(DataError, match=r"row 2: 'ir_k7' is no choice of axis stage2.op \(id, ir_k3_e3, ir_k5_e6\)"):
        read(f"{header},acc\n{','.join(['id'] * 8)},50\nid,ir_k7,{','.join(['id'] * 6)},60\n",
             space=read_space("nas_bench_macro"))  # fmt: skip


def test_a_mapping_file_names_itself_where_it_is_wrong(tmp_path):
    (tmp_path / "m.toml").write_text("[code]\ncolumn = 3\n")
    with pytest.raises(DataError, match=r"m\.toml: code\.column must be text, got 3"):
        read_map(tmp_path / "m.toml")
    (tmp_path / "m.toml").write_text("[code\n")
    with pytest.raises(DataError, match=r"m\.toml: not readable as TOML"):
        read_map(tmp_path / "m.toml")
    assert parse_map({}).costs_from == "checked"
