"""A table of one device made into one of another, from 10 to 20 networks that were measured there."""

from dataclasses import replace
from typing import Any

from archsearch.cost.latency import LatencyTable
from archsearch.measure.build import NETWORKS, Builder, calibrated
from archsearch.measure.model import whole
from archsearch.measure.pick import reference
from archsearch.spec.arch import Arch


def transferred(table: LatencyTable, builder: Builder, archs: list[tuple[str, Arch]]) -> LatencyTable:
    """The table for the builder's device.

    Blocks keep the times of the device that they were measured on; their weights, fitted to whole networks, turn these
    into times of the new one. What the two devices do unlike beyond the traits of `cost.latency.TRAITS` stays as error,
    and widens the margin.
    """
    made = builder.measure("transfer", [whole(arch, text) for text, arch in archs], NETWORKS)
    told: dict[str, Any] = {"transferred_from": dict(table.fingerprint), "networks_measured": len(archs)}
    moved = replace(table, fingerprint=builder.watch.fingerprint(),
                    reference={"arch": reference().name, "ms": builder.partial.anchor})  # fmt: skip
    return calibrated(moved, [arch for _, arch in archs], made, dict(table.about) | told)
