"""Design-space files: what they mean, and one clear line for each way to get one wrong."""

from itertools import product

import pytest

from archsearch.errors import SpaceError
from archsearch.spec.space_file import parse_space, read_space, shipped
from tests.strategies import SHIPPED

HEAD = "width = 1.0\nresolution = 32\nclasses = 10\n"
STAGE = "[[stage]]\nwidth = 8\n"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_space_is_found_by_name_and_says_what_it_is(name):
    assert read_space(name).name == name
    assert len(read_space(name).about) > 20


def test_nothing_else_is_shipped():
    assert sorted(shipped()) == sorted(SHIPPED)


def _axes(stage: str, before: str = "") -> dict[str, tuple]:
    import tomllib

    space = parse_space(tomllib.loads(HEAD + before + "[[stage]]\n" + stage), name="test")
    return {axis.name: axis.values for axis in space.axes}


def test_a_list_is_an_axis_and_a_list_of_one_is_not():
    assert _axes("width = [8, 16]\nkernel = [3]") == {"stage1.width": (8, 16)}
    assert _axes("width = 8", "[every_stage]\nexpand = [3, 6]\n") == {"expand": (3, 6)}
    assert _axes('width = 8\nop = ["id", "ir_k5"]') == {"stage1.op": ("id", "ir_k5")}
    assert _axes('width = 8\nop = ["ir_k5"]') == {}


def _archs(stage: str, before: str = "") -> list:
    import tomllib

    space = parse_space(tomllib.loads(HEAD + before + "[[stage]]\n" + stage), name="test")
    return [space.decode(code).stages[0] for codes in space.enumerate() for code in codes]


def test_what_a_block_string_leaves_out_is_as_for_all_stages():
    first, second = _archs('op = ["ir_k3", "ds"]', "[every_stage]\nkernel = 5\nwidth = 32\nact = 'silu'\n")
    assert (first.kernel, second.kernel) == (3, 5)
    assert {first.width, second.width} == {32}
    assert {first.act, second.act} == {"silu"}


def test_a_block_string_may_set_the_width():
    assert [stage.width for stage in _archs('op = ["ir_c24", "ds_c16"]')] == [24, 16]
    assert [stage.width for stage in _archs('op = ["ir_c24", "ds"]', "[every_stage]\nwidth = 40\n")] == [24, 40]


def test_a_file_of_ones_own_is_read_by_path(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(HEAD + 'about = "süß"\n' + STAGE, encoding="utf-8")
    assert (read_space(str(file)).name, read_space(str(file)).about) == ("mine", "süß")


WRONG = {
    "not TOML": ("width = = 1", "not readable as TOML"),
    "unknown key": (HEAD + "widht = 1\n" + STAGE, "did you mean 'width'"),
    "unknown stage key": (HEAD + STAGE + "kernal = 3", "[[stage]] 1 has no key 'kernal'; did you mean 'kernel'"),
    "unknown stem key": (HEAD + "[stem]\nexpand = 3\n" + STAGE, "[stem] has no key 'expand'"),
    "classes in head": (
        HEAD + "[head]\nclasses = 3\n" + STAGE,
        "[head] has no key 'classes'; choices: act, hidden, hidden_norm, kind, output_stride, width",
    ),
    "unknown shared key": (HEAD + "[every_stage]\nop = ['ir']\n" + STAGE, "[every_stage] has no key 'op'"),
    "no stage": (HEAD, "at least one [[stage]]"),
    "one [stage]": (HEAD + "[stage]\nwidth = 8", "at least one [[stage]]"),
    "stage a number": (HEAD + "stage = 3", "at least one [[stage]]"),
    "too costly": (
        "resolution = [1000000]\nwidth = [16, 99]\n[[stage]]\nwidth = [8, 99999]\nkernel = [3, 999]",
        "more than can be counted in 64 bits",
    ),
    "too many blocks": (HEAD + STAGE + "kernel = [3, 5]\nrepeats = 100000\nper_block = true", "at most 300 may differ"),
    "no width": (HEAD + "[[stage]]\nkernel = 3", "stage1 has no width"),
    "width as text": (HEAD + "[[stage]]\nwidth = '8'", "stage1.width: stage width must be a whole number"),
    "even kernel": (HEAD + STAGE + "kernel = [3, 4]", "stage1.kernel: stage kernel must be odd, got 4"),
    "unknown block": (HEAD + STAGE + "block = ['ir', 'rr']", "stage1.block: stage block 'rr' is unknown"),
    "unknown shortcut": (HEAD + STAGE + "shortcut = 'non'", "did you mean 'none'"),
    "empty list": (HEAD + STAGE + "kernel = []", "stage1.kernel is an empty list"),
    "same value twice": (HEAD + STAGE + "kernel = [3, 5, 3]", "stage1.kernel has 3 twice"),
    "same width twice": ("width = [1, 1.0]\n" + STAGE, "width has 1 twice"),
    "nested list": (HEAD + STAGE + "kernel = [[3, 5]]", "stage1.kernel: stage kernel must be a whole number"),
    "list in stem": (HEAD + "[stem]\nwidth = [16, 32]\n" + STAGE, "stem.width cannot be an axis"),
    "wrong stem value": (HEAD + "[stem]\nkernel = 4\n" + STAGE, "stem kernel must be odd, got 4"),
    "stem a number": (HEAD + "stem = 3\n" + STAGE, "stem must be a table, got 3"),
    "multiplier zero": ("width = 0\n" + STAGE, "width must be a number above 0"),
    "multiplier not a number": ("width = [nan]\n" + STAGE, "width must be a number above 0"),
    "multiplier infinite": ("width = inf\n" + STAGE, "width must be a number above 0"),
    "resolution a float": ("resolution = 32.0\n" + STAGE, "resolution must be a whole number"),
    "no classes": ("classes = 0\n" + STAGE, "classes must be a whole number, at least 1, got 0"),
    "list of classes": ("classes = [10, 100]\n" + STAGE, "classes must be a whole number"),
    "op a string": (HEAD + STAGE + "op = 'ir'", "stage1.op must be a list of block strings"),
    "op empty": (HEAD + STAGE + "op = []", "stage1.op must be a list of block strings"),
    "op of numbers": (HEAD + STAGE + "op = [3]", "stage1.op must be a list of block strings"),
    "op twice": (HEAD + STAGE + "op = ['ir', 'ir']", "stage1.op has 'ir' twice"),
    "op unknown word": (HEAD + STAGE + "op = ['ir_q3']", "stage1.op: 'ir_q3' has an unknown word 'q3'"),
    "op unknown block": (HEAD + STAGE + "op = ['ri_k3']", "stage1.op: stage block 'ri' is unknown"),
    "op sets a set field": (HEAD + STAGE + "kernel = 3\nop = ['ir_k5']", "stage1.op sets kernel, and so does"),
    "op half a width": (HEAD + "[[stage]]\nop = ['ir_c8', 'ds']", "'ds' must set width"),
    "op half a shared axis": (
        HEAD + "[every_stage]\nkernel = [3, 5]\n" + STAGE + "op = ['ir_k3', 'ds']\n" + STAGE,
        "'ds' must set kernel",
    ),
    "shared width an axis": (HEAD + "[every_stage]\nwidth = [8, 16]\n[[stage]]", "every_stage.width cannot be a list"),
    "head without what it needs": (
        HEAD + "[head]\nkind = 'deeplabv3'\n" + STAGE,
        "[head]: head deeplabv3 needs `hidden`",
    ),
    "head of another kind": (HEAD + "[head]\nkind = 'ssdlit'\n" + STAGE, "did you mean 'ssdlite'"),
    "head a list": (HEAD + "[head]\nkind = ['ssdlite', 'classifier']\n" + STAGE, "head.kind cannot be an axis"),
    "head without its map": (
        HEAD + "[head]\nkind = 'ssdlite'\n" + STAGE,
        "[head]: this head reads the map at 1/16 of the image, and no stage ends there",
    ),
    "head behind open strides": (
        HEAD + "[head]\nkind = 'ssdlite'\n" + STAGE + "stride = [1, 2]",
        "[head]: a head that reads an earlier feature map needs stages of fixed strides",
    ),
    "dilation behind open strides": (
        HEAD + "[head]\noutput_stride = 16\n" + STAGE + "stride = [1, 2]",
        "[head]: a head with an output_stride needs stages of fixed strides",
    ),
    "per_block a word": (
        HEAD + STAGE + "kernel = [3, 5]\nper_block = 'kernel'",
        "must be true, false or a list of keys",
    ),
    "per_block a number": (HEAD + STAGE + "per_block = 1", "stage1.per_block must be true, false or a list of keys"),
    "per_block empty": (HEAD + STAGE + "per_block = []", "stage1.per_block must be true, false or a list of keys"),
    "per_block of the stage": (
        HEAD + STAGE + "kernel = [3, 5]\nrepeats = [1, 2]\nper_block = ['repeats']",
        "stage1.per_block names 'repeats', which belongs to the stage; choices: kernel",
    ),
    "per_block of nothing": (
        HEAD + STAGE + "kernel = [3, 5]\nper_block = ['kernal']",
        "stage1.per_block names 'kernal', which the stage does not set; did you mean 'kernel'",
    ),
    "one block without per_block": (HEAD + STAGE + "kernel = 3\nblock1 = {kernel = 5}", "block1 needs per_block"),
    "a block too many": (HEAD + STAGE + "per_block = true\nkernel = 3\nblock2 = {kernel = 5}", "block2 is no block"),
    "se above 1": (HEAD + STAGE + "se = [0, 2]", "stage1.se: stage se must be a number from 0 to 1, got 2"),
    "no kernel": (HEAD + STAGE + "block = ['uib', 'ir']\nkernel = [0, 3]", "stage1: block ir with kernel 0"),
    "axis without effect": (HEAD + "[every_stage]\nkernel = [3, 5]\n" + STAGE + "kernel = 7", "changes nothing"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_names_the_key_the_value_and_the_choices(case, tmp_path):
    text, told = WRONG[case]
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(SpaceError) as caught:
        read_space(str(file))
    assert str(caught.value).startswith(str(file))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_each_block_has_axes_of_its_own():
    axes = _axes("width = 8\nrepeats = [1, 2]\nper_block = ['kernel']\nkernel = [3, 5]\nexpand = [3, 6]")
    assert list(axes) == ["stage1.repeats", "stage1.expand", "stage1.block1.kernel", "stage1.block2.kernel"]
    assert _axes("width = 8\nper_block = true\nrepeats = 2\nop = ['ir_e3', 'id']\nblock1 = {op = ['ir_e3', 'cn']}") == {
        "stage1.block1.op": ("ir_e3", "cn"),
        "stage1.block2.op": ("ir_e3", "id"),
    }
    assert _axes("width = 8\nper_block = false\nkernel = [3, 5]") == {"stage1.kernel": (3, 5)}


@pytest.mark.parametrize("stride", [1, 2])
def test_blocks_that_choose_for_themselves_are_stages_of_one_block_and_may_be_absent(stride):
    import tomllib

    row = f"stride = {stride}\nrepeats = [1, 2, 3]\nper_block = true\nkernel = [3, 5]\nexpand = 2"
    space = parse_space(tomllib.loads(HEAD + "[[stage]]\nwidth = 8\n" + row), name="test")
    spelled = {tuple((s.kernel, s.stride, s.expand) for s in space.decode(code).stages)
               for codes in space.enumerate() for code in codes}  # fmt: skip
    wanted = {
        tuple((kernel, stride if number == 0 else 1, 2) for number, kernel in enumerate(kernels))
        for depth in (1, 2, 3)
        for kernels in product((3, 5), repeat=depth)
    }
    assert spelled == wanted


def test_a_file_of_other_bytes_is_named(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_bytes(b"about = '\xff'")
    with pytest.raises(SpaceError, match=r"wrong\.toml: not readable as TOML"):
        read_space(str(file))


@pytest.mark.parametrize("name", ["mobilnet_v2", "", ".", "none.toml", "a\0b", "a" * 5000])
def test_an_unknown_space_names_the_shipped_ones(name):
    with pytest.raises(SpaceError, match="choices: deeplabv3_mobilenet_v2, linear_vs_relu, mnasnet, "):
        read_space(name)
