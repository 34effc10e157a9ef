"""What a space file cannot say field by field: whether its networks can be built, and counted in 64 bits."""

from types import SimpleNamespace
from typing import Any

from archsearch.errors import SpaceError, SpecError
from archsearch.spec.arch import Stage, head_at, scaled, stem_at
from archsearch.spec.lower import lower
from archsearch.spec.space import SearchSpace


def check_space(space: SearchSpace) -> None:
    """Raise SpaceError where the networks cannot carry their head, or the largest one costs 2^62 or more.

    A head may need fields, fixed strides, a finer map.
    """
    try:
        lower(space.population(next(space.enumerate(1))))
    except SpecError as error:
        raise SpaceError(f"[head]: {error}") from None
    if _work(space) >= 2**62:
        raise SpaceError("its largest network costs more than can be counted in 64 bits; give smaller numbers")


def _work(space: SearchSpace) -> int:
    """More than any network of a space costs in any metric, in Python's unlimited numbers."""
    width = max(space.width.options)
    stages = []
    for template in space.stages:
        blocks = dict.fromkeys(template.fields["block"].options)
        values = {name: max(template.fields[name].options) for name in ("width", "repeats", "expand", "start", "se")}
        values |= {"stride": min(template.fields["stride"].options), "kernel": max(template.fields["kernel"].options)}
        values |= {"width": scaled(values["width"], width), "block": blocks, "repeats": max(values["repeats"], 1)}
        stages.append(values)
    total: Any = 0
    for block in dict.fromkeys(name for values in stages for name in values["block"]):
        rows = [{**each, "block": block if block in each["block"] else next(iter(each["block"]))} for each in stages]
        made = [Stage(**{**row, "kernel": row["kernel"] or 3 * (row["block"] != "uib")}) for row in rows]
        net = SimpleNamespace(resolution=max(space.resolution.options), stem=stem_at(space.stem, width), stages=made,
                              head=head_at(space.head, width))  # fmt: skip
        for op in lower(net):
            maps = op.c_in * op.size_in**2 + op.held + op.c_out * op.size_out**2
            total += 4 * (maps + op.times * op.c_out * (op.kernel**2 * op.per_group * op.size_out**2 + 3))
    return int(total)
