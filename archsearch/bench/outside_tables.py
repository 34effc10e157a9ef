"""Latencies that others measured, as blocks of ours: two tables of blocks and one of whole networks."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsearch.errors import DataError
from archsearch.spec.arch import Arch, Head, Stage, Stem, scaled
from archsearch.spec.blocks import Block, inverted_residual
from archsearch.spec.lower import lower, unroll
from archsearch.spec.ops import Op

Row = Mapping[str, str]

BLOCKS = {"i7-8700K": "lut_nsganetv2_i7_8700k.csv", "Pixel 1": "lut_proxyless_pixel1.csv"}
NETWORKS = "archai_mbv2_nas224.csv"
WIDTHS, STRIDES = (24, 32, 64, 96, 160, 320), (2, 2, 2, 1, 2, 1)  # of MobileNetV2's stages 2 to 7
OUTPUTS = 140  # of archai's networks: x and y of 70 landmarks of a face


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """Blocks, or whole networks, and what somebody measured for each."""

    blocks: list[list[Op]]
    ms: NDArray[np.float64]  # [n]

    def take(self, rows: NDArray[np.int64]) -> "Measured":
        """Some of them, by number."""
        return Measured(blocks=[self.blocks[row] for row in rows], ms=self.ms[rows])


def blocks(folder: Path, device: str) -> Measured:
    """The table of blocks of a device in `BLOCKS`; raises DataError where it cannot be read."""
    rows = _rows(folder / BLOCKS[device])
    return Measured(blocks=[block(row) for row in rows], ms=np.array([float(row["mean_ms"]) for row in rows]))


def networks(folder: Path) -> Measured:
    """archai's networks, each one as a single list of ops; raises DataError where the table cannot be read."""
    rows = _rows(folder / NETWORKS)
    ms = np.array([float(row["onnx_cpu1_ms_128px"]) for row in rows])
    return Measured(blocks=[unroll(lower(network(row))) for row in rows], ms=ms)


def network_rows(folder: Path) -> list[Row]:
    """The rows of archai's table; raises DataError where it cannot be read."""
    return _rows(folder / NETWORKS)


def network(row: Row) -> Arch:
    """A row of archai's table as an architecture, with the row's MAdds and parameters.

    The width multiplier works on stages 2 to 7 alone; the depth multiplier rounds their repeats up.
    """
    width, depth = float(row["width_mult"]), float(row["depth_mult"])
    kernels, expansions = _numbers(row, "kernels_stages2to7"), _numbers(row, "expansions_stages2to7")
    each = zip(WIDTHS, STRIDES, _numbers(row, "repeats_stages2to7"), kernels, expansions, strict=True)
    stages = [Stage(width=16, expand=1)]
    stages += [
        Stage(width=scaled(channels, width), repeats=ceil(repeats * depth), stride=stride, kernel=kernel, expand=expand)
        for channels, stride, repeats, kernel, expand in each
    ]
    return Arch(resolution=128, stem=Stem(), stages=tuple(stages), head=Head(classes=OUTPUTS))


def block(row: Row) -> list[Op]:
    """A row of a table of blocks as ops; raises DataError for a kind of block that is not known.

    Hidden channels are input channels x expansion; squeeze-and-excitation is MobileNetV3's, a quarter of the hidden.
    """
    if row["op"] not in KINDS:
        raise DataError(f"blocks of kind {row['op']!r} are not known; choices: {', '.join(sorted(KINDS))}")
    return KINDS[row["op"]](row)


def _inverted(row: Row) -> list[Op]:
    shape = Block(
        c_in=int(row["in_ch"]), c_out=int(row["out_ch"]), size=int(row["in_size"]), stride=int(row["stride"]),
        kernel=int(row["kernel"]), expand=int(row["expand"]), act="relu", bottleneck="auto", start=0, times=1,
        shortcut="auto" if int(row["idskip"]) else "none", se_of="hidden", se_gate="hard_sigmoid",
        se=0.25 if row.get("se") == "1" else 0,
    )  # fmt: skip
    return unroll(inverted_residual(shape))


def _stem(row: Row) -> list[Op]:
    return [_conv(row, kernel=3, stride=2)]


def _pointwise(row: Row) -> list[Op]:
    return [_conv(row, kernel=1, stride=1)]


def _conv(row: Row, *, kernel: int, stride: int) -> Op:
    c_in, c_out = int(row["in_ch"]), int(row["out_ch"])
    return Op(kind="conv", label="conv", c_in=c_in, c_out=c_out, size_in=int(row["in_size"]),
              size_out=int(row["out_size"]), kernel=kernel, stride=stride, per_group=c_in, norm=True)  # fmt: skip


def _linear(row: Row) -> list[Op]:
    """A classifier; its channels are in the key ("classifier-input:1280-output:1000"), behind a map of 7x7 or none."""
    source, result = (part.split("x") for part in row["key"].replace("-output", "").split(":")[1:])
    c_in, c_out, size = int(source[-1]), int(result[0]), int(source[0]) if len(source) > 1 else 1
    linear = Op(kind="linear", label="classifier", c_in=c_in, c_out=c_out, size_in=1, size_out=1, per_group=c_in,
                bias=True)  # fmt: skip
    pool = Op(kind="pool", label="pool", c_in=c_in, c_out=c_in, size_in=size, size_out=1, kernel=size, stride=size)
    return [pool, linear] if size > 1 else [linear]


KINDS = {"mbconv": _inverted, "first_conv": _stem, "final_expand_layer": _pointwise, "feature_mix_layer": _pointwise,
         "Conv_1": _pointwise, "classifier": _linear, "Logits": _linear}  # fmt: skip


def _numbers(row: Row, name: str) -> list[int]:
    return [int(part) for part in row[name].split("/")]


def _rows(path: Path) -> list[Row]:
    try:
        with path.open(newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
