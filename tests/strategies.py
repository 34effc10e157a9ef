"""Hypothesis strategies: any small network, any small design space; and the shipped spaces as a parameter."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from archsearch.evaluate.table import Table
from archsearch.evaluate.table_merge import merged
from archsearch.spec.arch import ACTIVATIONS, BOTTLENECKS, GATES, SE_OF, SHORTCUTS, Arch, Head, Stage, Stem
from archsearch.spec.fields import Axis
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_file import parse_space

SHIPPED = (
    "deeplabv3_mobilenet_v2", "linear_vs_relu", "mnasnet", "mobilenet_v1", "mobilenet_v2", "mobilenet_v2_small",
    "mobilenet_v4", "mobilenext", "nas_bench_macro", "ofa_mobilenet_v3", "proxyless", "ssdlite_mobilenet_v2",
)  # fmt: skip
BLOCKS = ("ir", "ds", "cr", "id", "cn", "er", "sg", "uib")
WIDTHS = (1, 3, 8, 12, 16, 24)
CHOICES: dict[str, tuple[Any, ...]] = {
    "width": WIDTHS,
    "repeats": (1, 2, 3),
    "stride": (1, 2, 3),
    "kernel": (1, 3, 5, 7),
    "expand": (1, 2, 2.3, 3, 6),
    "block": BLOCKS,
    "act": ACTIVATIONS,
    "bottleneck": BOTTLENECKS,
    "shortcut": SHORTCUTS,
    "start": (0, 3, 5),
    "se": (0, 0.25, 0.5),
    "se_of": SE_OF,
    "se_gate": GATES,
}
HEADS = (
    {"kind": "ssdlite", "width": 16, "classes": 3},
    {"kind": "ssdlite", "width": 0, "classes": 2},
    {"kind": "deeplabv3", "width": 0, "hidden": 8, "classes": 3, "output_stride": 16},
    {"kind": "deeplabv3", "width": 8, "hidden": 16, "classes": 2},
    {"kind": "deeplabv3aspp", "width": 0, "hidden": 8, "classes": 3, "output_stride": 8},
    {"kind": "lraspp", "width": 0, "hidden": 8, "classes": 3, "output_stride": 16},
    {"kind": "lraspp", "width": 12, "hidden": 8, "classes": 2, "output_stride": 8},
)
OPS = ("id", "ir_k3_e3", "ir_k5_e6_linear", "ds_xskip", "cr_e2_noskip_nsw", "ir_relu6_bskip", "ir_e1_se0.25", "cn_k1",
       "er_e2_bskip", "er_e1_k5", "sg_e2", "uib_a3_k0_e2", "uib_k5_e2.3_se0.5_sesig")  # fmt: skip


@st.composite
def stages(draw: st.DrawFn, **given: int) -> Stage:
    """Any stage with few channels; every switch in every position."""
    values = {name: draw(st.sampled_from(values)) for name, values in CHOICES.items()} | given
    if values["block"] == "uib":
        values["kernel"] = draw(st.sampled_from((0, 3, 5)))
    return Stage(**values)


@st.composite
def archs(draw: st.DrawFn, *, most_stages: int = 3) -> Arch:
    """Any small network; often with a stage that keeps its input's shape, so that shortcuts are met."""
    stem = draw(st.builds(Stem, width=st.sampled_from(WIDTHS), kernel=st.sampled_from((1, 3, 5)),
                          stride=st.sampled_from((1, 2, 3)), act=st.sampled_from(ACTIVATIONS)))  # fmt: skip
    head = draw(st.builds(Head, width=st.sampled_from((0, 5, 16)), classes=st.sampled_from((1, 2, 10)),
                          hidden=st.sampled_from((0, 6)), hidden_norm=st.booleans(),
                          act=st.sampled_from(ACTIVATIONS)))  # fmt: skip
    return Arch(
        resolution=draw(st.integers(1, 20)),
        stem=stem,
        stages=tuple(draw(st.lists(stages(), max_size=most_stages))),
        head=head,
    )


@st.composite
def dense_archs(draw: st.DrawFn, heads: Sequence[dict[str, Any]] = HEADS) -> Arch:
    """Any small network for detection or segmentation: five stages of stride 2 with others between them."""
    steps = [draw(stages(stride=2)) for _ in range(4)]
    others = draw(st.lists(st.tuples(st.integers(0, 4), stages(stride=1)), max_size=2))
    for at, stage in others:
        steps.insert(at, stage)
    return Arch(
        resolution=draw(st.integers(17, 70)),
        stem=Stem(width=draw(st.sampled_from(WIDTHS)), stride=2),
        stages=tuple(steps),
        head=Head(**draw(st.sampled_from(heads)), act=draw(st.sampled_from(("relu", "relu6")))),
    )


def headed(kind: str) -> st.SearchStrategy[Arch]:
    """Any small network with a head of one kind."""
    return archs() if kind == "classifier" else dense_archs([head for head in HEADS if head["kind"] == kind])


def _some(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """A fixed value, or a list of one to three: an axis."""
    one = st.sampled_from(values)
    return one | st.lists(one, min_size=1, max_size=3, unique=True)


@st.composite
def _stage_tables(draw: st.DrawFn) -> dict[str, Any]:
    """A [[stage]] of a space file: any fields fixed, as axes, or chosen together as `op`; for each block or for all."""
    chosen = draw(st.sets(st.sampled_from(sorted(set(CHOICES) - {"width"})), max_size=3))
    row = {name: draw(_some(CHOICES[name])) for name in sorted(chosen)} | {"width": draw(_some(WIDTHS))}
    if draw(st.booleans()):
        together = set(CHOICES) - {"width", "repeats", "stride"}
        row = {name: value for name, value in row.items() if name not in together}
        row["op"] = draw(st.lists(st.sampled_from(OPS), min_size=1, max_size=3, unique=True))
    own = sorted(row.keys() - {"width", "repeats", "stride"})
    if own and draw(st.booleans()):
        row["per_block"] = draw(st.just(True) | st.lists(st.sampled_from(own), min_size=1, unique=True))
    return row


@st.composite
def space_tables(draw: st.DrawFn, *, most_stages: int = 3) -> dict[str, Any]:
    """A design-space file, parsed: per-stage axes, shared axes, `op` axes, lists of one value."""
    rows = draw(st.lists(_stage_tables(), min_size=1, max_size=most_stages))
    free = [
        name
        for name in ("act", "bottleneck", "shortcut", "repeats")
        if not any({name, "op"} & row.keys() for row in rows)
    ]
    shared = draw(st.sets(st.sampled_from(free), max_size=2)) if free else set()
    plain = {
        "about": "generated",
        "width": draw(_some((0.25, 0.5, 0.75, 1.0, 1.4, 2))),
        "resolution": draw(_some((1, 7, 8, 13))),
        "classes": draw(st.sampled_from((2, 10))),
        "stem": {"width": draw(st.sampled_from((8, 32))), "stride": draw(st.sampled_from((1, 2)))},
        "head": {"width": draw(st.sampled_from((0, 16, 1280)))},
        "every_stage": {name: draw(_some(CHOICES[name])) for name in sorted(shared)},
        "stage": rows,
    }
    return plain | draw(_dense(rows)) if draw(st.integers(0, 3)) == 0 else plain


@st.composite
def _dense(draw: st.DrawFn, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The same for detection or segmentation: fixed strides that bring the map to 1/32, heads with taps or dilation."""
    trunk: list[dict[str, Any]] = [{"width": 8, "stride": 2} for _ in range(4)]
    for row in rows:
        at = draw(st.integers(0, len(trunk) - 1))
        if draw(st.booleans()):
            trunk[at] = row | {"stride": trunk[at]["stride"]}  # where it stood: a tapped stage may have axes, too
        else:
            trunk.insert(at, row | {"stride": 1})
    head = dict(draw(st.sampled_from(HEADS)))
    return {
        "resolution": draw(_some((17, 33, 40))),
        "classes": head.pop("classes"),
        "stem": {"width": 8, "stride": 2},
        "head": head,
        "stage": trunk,
    }


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Any small design space."""
    return parse_space(draw(space_tables()), name="generated")


@st.composite
def plain_tables(draw: st.DrawFn) -> Table:
    """A table without a space: some of the codes of up to four axes, in any order, up to three seeds, some missing."""
    radix = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    axes = tuple(Axis(f"a{number}", tuple(range(count))) for number, count in enumerate(radix))
    every = np.stack([each.ravel() for each in np.indices(radix)], axis=1)
    rows = draw(st.lists(st.integers(0, len(every) - 1), min_size=1, max_size=30, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    top1 = rng.uniform(0.1, 0.9, size=(len(rows), draw(st.integers(1, 3))))
    top1[:, 1:][rng.random(top1[:, 1:].shape) < 0.2] = np.nan
    costs = {"madds": rng.integers(1, 10**9, len(rows)).astype(float), "ms": rng.uniform(0.1, 9, len(rows))}
    return merged(Table(name="made", axes=axes, codes=every[rows], top1=top1, costs=costs))
