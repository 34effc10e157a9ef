"""The zoo: names, layer tables, and figures as their authors printed them."""

import csv
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsearch.errors import SpecError
from archsearch.spec.arch import make_divisible
from archsearch.spec.presets import preset
from archsearch.spec.text import from_text, to_text
from archsearch.spec.zoo import FAMILIES, FILES, ROWS
from archsearch.spec.zoo.published import UNITS, Figure
from archsearch.spec.zoo.scale import network


@pytest.mark.parametrize("name", FAMILIES)
def test_every_name_is_a_network_that_its_text_form_names(name):
    arch = preset(name)
    assert arch == FAMILIES[name].build()
    assert from_text(to_text(arch)) == arch


def test_every_network_has_a_row_and_every_row_a_network():
    assert {row.name for row in ROWS} >= {name for name, family in FAMILIES.items() if not family.scaled}
    named = {max((f for f in FAMILIES if row.name.startswith(f)), key=len) for row in ROWS}
    assert named == set(FAMILIES)
    assert sum(len(file.NETWORKS) for file in FILES) == len(FAMILIES)
    assert len(ROWS) == len({(row.name, row.source, row.madds, row.params) for row in ROWS})


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.scaled])
def test_a_family_scales_its_stages_and_its_resolution(name):
    whole, narrow = preset(name), preset(f"{name}_0.5_96")
    assert narrow.resolution == 96
    last = len(whole.stages) - 1
    for number, (a, b) in enumerate(zip(whole.stages, narrow.stages, strict=True)):
        if number < last or name != "mobilenext":  # its last stage takes the place of the last convolution
            assert abs(b.width - make_divisible(a.width * 0.5)) <= (8 if "halved" in name else 0)


def test_the_longest_name_wins():
    assert preset("mobilenet_v3_small_h1280").head.hidden == 1280
    assert preset("mobilenet_v3_small_1.0_128").resolution == 128
    assert preset("mobilenet_v3_large_minimalistic").stages[4].kernel == 3


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mobilenet_v3", "mobilenet_v3_large' or 'mobilenet_v3_small"),
        ("mnasnet", "mnasnet_a1"),
        ("efficientnet_lite5", "efficientnet_lite4"),
        ("fbnet_c_0.5", "comes in one width and resolution, write fbnet_c"),
        ("ssdlite_mobilenet_v2_320", "write ssdlite_mobilenet_v2_1.0_320"),
        ("bananas", "archsearch space list --zoo"),
    ],
)
def test_a_wrong_name_says_what_would_be_right(name, told):
    with pytest.raises(SpecError) as caught:
        preset(name)
    assert told in str(caught.value)


def test_the_stem_and_the_last_convolution_may_keep_their_width():
    text = "r32 stem_c32 ir_c16 head_c128_n10"
    wide = network(text, 2.0, 64)
    assert (wide.resolution, wide.stem.width, wide.stages[0].width, wide.head.width) == (64, 64, 32, 256)
    kept = network(text, 2.0, stem=False, last=False)
    assert (kept.resolution, kept.stem.width, kept.stages[0].width, kept.head.width) == (32, 32, 32, 128)
    narrow = network(text, 0.5)
    assert (narrow.stem.width, narrow.stages[0].width, narrow.head.width) == (16, 8, 128)


def test_a_convolution_in_front_of_a_hidden_layer_is_scaled_and_the_layer_only_widened():
    text = "r32 ir_c16 head_c64_h128_n10"
    assert (network(text, 0.5).head.width, network(text, 0.5).head.hidden) == (32, 128)
    assert (network(text, 2.0).head.width, network(text, 2.0).head.hidden) == (128, 256)


@given(digits=st.integers(0, 3), unit=st.sampled_from(sorted(UNITS)), count=st.integers(0, 10**10), cut=st.booleans())
def test_a_figure_agrees_with_what_would_be_printed_so(digits, unit, count, cut):
    step = Decimal(1).scaleb(-digits)
    exact = Decimal(count) / UNITS[unit]
    printed = exact.quantize(step, ROUND_DOWN if cut else ROUND_HALF_EVEN)
    figure = Figure(text=f"{printed}{unit}", cut=cut)
    assert figure.agrees(count)
    lowest, highest = (printed, printed + step) if cut else (printed - step / 2, printed + step / 2)
    assert not figure.agrees(int((highest + step) * UNITS[unit]) + 1)
    assert not figure.agrees(int((lowest - step) * UNITS[unit]) - 1)


def test_a_figure_may_be_rounded_to_tens():
    figure = Figure(text="590M", step=10)
    assert [figure.agrees(million * 10**6) for million in (584, 585, 595, 596)] == [False, True, True, False]


@pytest.mark.parametrize("text", ["", "M", "1,000", "3.5 M", "1e6", "-3M"])
def test_a_figure_is_digits_and_a_unit(text):
    with pytest.raises(SpecError, match="digits"):
        Figure(text=text)


def printed(source: str) -> dict[str, tuple[str, ...]]:
    """Preset -> (MAdds, params) as printed in one source."""
    return {
        row.name: tuple(figure.text if figure else "" for figure in (row.madds, row.params))
        for row in ROWS
        if row.source.startswith(source)
    }


@pytest.mark.parametrize(
    ("file", "family", "source"),
    [
        ("mbv1_tfslim_grid.csv", "mobilenet_v1", "TF-slim, nets/mobilenet_v1.md"),
        ("mbv2_tfslim_grid.csv", "mobilenet_v2", "TF-slim, nets/mobilenet/README.md"),
        ("mbv2_dli14_grid.csv", "mobilenet_v2", "d-li14/mobilenetv2.pytorch"),
        ("mnasnet_a1_grid.csv", "mnasnet_a1", "tensorflow/tpu, mnasnet/README.md, table"),
    ],
)
def test_the_rows_are_those_of_the_published_grids(tables, file, family, source):
    ours = printed(source)
    with (tables / file).open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows
    for row in rows:
        width = "1.0" if float(row["width"]) == 1 else f"{float(row['width']):g}"
        assert ours[f"{family}_{width}_{row['resolution']}"] == (row["macs_m"] + "M", row["params_m"] + "M"), row


def test_the_searched_network_is_the_published_block_list(tables):
    with (tables / "arch_proxyless-w0.3-r176.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["op"] == "mbconv"]
    arch = preset("proxyless_w0.3_r176")
    blocks = [
        (stage.width, stage.kernel, stage.stride if first else 1, stage.expand)
        for stage in arch.stages
        for first in [True, *[False] * (stage.repeats - 1)]
    ]
    wanted = [tuple(int(row[key]) for key in ("out_ch", "kernel", "stride", "expand")) for row in rows]
    assert blocks == wanted
    assert (arch.resolution, arch.stem.width, arch.head.width, arch.head.classes) == (176, 16, 384, 1000)
