"""Checks of what makes networks: block types, head types and metrics."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from archsearch.testing.common import SPACE, hold

if TYPE_CHECKING:
    from archsearch.spec.arch import Arch, Head
    from archsearch.spec.ops import Op


def check_block(name: str) -> None:
    """A block type: wired, the same for one and for many networks, counted as it is built, trainable.

    raises   AssertionError
    """
    nets = [(f"block {name!r} in {arch.stages[0]}", arch) for arch in _block_nets(name)]
    for told, arch in nets:
        _check_ops(arch, told)
    _check_many(_block_space(name), f"block {name!r}")
    for told, arch in _distinct(nets):
        _check_model(arch, told)


def check_head(name: str) -> None:
    """A head type: wired, the same for one and for many networks, counted as it is built, trainable.

    raises   AssertionError
    """
    nets = [(f"head {name!r} in {arch.head} behind {arch.stages[-1]}", arch) for arch in _head_nets(name)]
    hold(bool(nets), f"head {name!r} can carry none of the heads that are tried")
    for told, arch in nets:
        _check_ops(arch, told)
    distinct = _distinct(nets)
    for head in dict.fromkeys(arch.head for _, arch in distinct):
        _check_many(_head_space(head), f"{head}")
    for told, arch in distinct:
        _check_model(arch, told)


def check_metric(name: str) -> None:
    """A metric: named like its row, a whole number at least 0, the same for one and for many networks.

    raises   AssertionError
    """
    import numpy as np

    from archsearch.cost.count import count, count_codes, metric
    from archsearch.cost.table import cost_table
    from archsearch.spec.space_file import parse_space

    made = metric(name)
    hold(made.name == name, f"metric {name!r} calls itself {made.name!r}")
    hold(bool(made.about), f"metric {name!r} says nothing about itself")
    space = parse_space(SPACE, name="testing")
    codes = next(space.enumerate())
    one = [count(space.decode(code), (name,))[name] for code in codes]
    hold(min(one) >= 0, f"metric {name!r} is below 0: {min(one)}")
    for way, counted in (
        ("count_codes", count_codes(space, codes, (name,))),
        ("table", cost_table(space, (name,)).count(codes)),
    ):
        wrong = np.flatnonzero(np.array(one) != counted[name])
        hold(
            len(wrong) == 0,
            f"metric {name!r} by {way} differs from one by one on {len(wrong)} of {len(codes)} networks",
        )


def live_bytes(ops: "Sequence[Op]") -> list[int]:
    """Bytes of the float32 tensors that are live while each op runs, found by walking the wiring of unrolled ops.

    A tensor lives from the op that makes it to the last op that reads it; a lone activation works in place.
    """
    last = {name: index for index, op in enumerate(ops) for name in op.inputs}
    sizes = {ops[0].inputs[0]: ops[0].c_in * ops[0].size_in ** 2}
    live = []
    for index, op in enumerate(ops):
        made = op.c_out * op.size_out**2
        held = sum(size for name, size in sizes.items() if last.get(name, -1) >= index)
        live.append(4 * (held if op.kind == "act" else held + made))
        sizes[op.name] = made
    return live


def _block_nets(name: str) -> "Iterator[Arch]":
    """Small networks of one stage of this block, every switch in every position."""
    from itertools import product

    from archsearch.spec.arch import BOTTLENECKS, SHORTCUTS, Arch, Head, Stage, Stem

    switches = product((8, 16), (1, 2), (1, 3), BOTTLENECKS, SHORTCUTS, (0, 0.25), _kernels(name))
    for width, stride, expand, bottleneck, shortcut, se, (start, kernel) in switches:
        stage = Stage(block=name, width=width, repeats=2, stride=stride, expand=expand, kernel=kernel, start=start,
                      bottleneck=bottleneck, shortcut=shortcut, se=se)  # fmt: skip
        yield Arch(resolution=7, stem=Stem(width=8, stride=1), stages=(stage,), head=Head(width=0, classes=3))


def _kernels(name: str) -> list[tuple[int, int]]:
    """(start, kernel) of a block: with and without each of the two layers, as far as it may be left out."""
    from archsearch.errors import SpecError
    from archsearch.spec.arch import Stage

    possible = []
    for start, kernel in ((0, 5), (3, 5), (0, 0), (3, 0)):
        try:
            Stage(width=8, block=name, start=start, kernel=kernel)
        except SpecError:
            continue
        possible.append((start, kernel))
    return possible


def _block_space(name: str) -> dict[str, Any]:
    """A space of one stage of this block, or of inverted residuals, its switches axes."""
    from archsearch.spec.arch import BOTTLENECKS, SHORTCUTS

    starts, kernels = (sorted(set(each)) for each in zip(*_kernels(name), strict=True))
    stage = {"width": [8, 16], "stride": [1, 2], "expand": [1, 3], "repeats": [1, 2], "bottleneck": list(BOTTLENECKS),
             "shortcut": list(SHORTCUTS), "se": [0, 0.25], "start": starts,
             "kernel": kernels, "block": [name]}  # fmt: skip
    if name != "ir" and 0 not in kernels:
        stage["block"] = [name, "ir"]
    return {"resolution": 7, "stem": {"width": 8, "stride": 1}, "stage": [stage]}


def _head_nets(name: str) -> "Iterator[Arch]":
    """Small networks with this head, its fields in every position that it takes, its maps made by several blocks."""
    from itertools import product

    from archsearch.spec.arch import Arch, Head, Stage, Stem

    fields = product((0, 16), ((0, False), (8, False), (8, True)), (0, 8, 16))
    for (width, (hidden, norm), most), kind in product(fields, ({"expand": 1}, {"expand": 3}, {"block": "ds"})):
        shrinking = [Stage(width=8 + 4 * number, stride=2, repeats=1 + number % 2, **kind) for number in range(4)]
        head = Head(kind=name, width=width, hidden=hidden, hidden_norm=norm, classes=3, output_stride=most)
        if _taken(head):
            yield Arch(resolution=40, stem=Stem(width=8), stages=(*shrinking, Stage(width=24)), head=head)


def _taken(head: "Head") -> bool:
    """Whether a head type takes these fields; it may refuse them, saying what it needs."""
    from archsearch import plugins
    from archsearch.errors import SpecError
    from archsearch.spec.heads import Ends

    ends = Ends(head=head, c_in=24, size=2, tap_c=8, tap_size=5, resolution=40)
    try:
        return bool(list(plugins.load("heads", head.kind).make(ends)))
    except SpecError:
        return False


def _head_space(head: "Head") -> dict[str, Any]:
    """A space of small networks with this head, in which the maps that it reads differ."""
    from dataclasses import asdict

    stages = [{"width": [8, 16], "stride": 2, "expand": [1, 3], "block": ["ir", "ds"]} for _ in range(4)]
    fields = {name: value for name, value in asdict(head).items() if name != "classes"}
    return {"width": [0.5, 1.0], "resolution": [33, 64], "classes": 3, "head": fields,
            "stage": [*stages, {"width": 24, "repeats": [1, 2]}]}  # fmt: skip


def _check_ops(arch: "Arch", told: str) -> None:
    """The ops of a network: wired, priced alike with `times` and written out, live tensors as the wiring has them."""
    from archsearch.cost.count import metric
    from archsearch.spec.lower import lower, unroll

    ops = lower(arch)
    _check_labels(ops, told)
    written = unroll(ops)
    _check_wiring(written, told)
    for cost in ("madds", "params", "activations", "peak_memory"):
        one, total = metric(cost).total(ops), metric(cost).total(written)
        hold(one == total, f"{told}: {cost} is {one} with `times`, {total} written out")
    for op, live in zip(written, live_bytes(written), strict=True):
        priced = metric("peak_memory").price(op)
        hold(live == priced, f"{told}: {live} bytes are live at {op.label!r}, `held` makes it {priced}")


def _check_labels(ops: "Sequence[Op]", told: str) -> None:
    from itertools import groupby

    from archsearch.spec.ops import KINDS

    earlier: set[str] = set()  # what a head may read of a block far in front of it
    for group, members in groupby(ops, key=lambda op: op.group):
        known = {""}
        for op in members:
            hold(op.kind in KINDS, f"{told}: op kind {op.kind!r} is none of {', '.join(KINDS)}")
            hold(op.label not in known, f"{told}: two ops are labelled {op.label!r}")
            made = known.union(earlier).issuperset(op.inputs)
            hold(made, f"{told}: {op.label!r} reads {op.inputs}, which nothing before it makes")
            known.add(op.label)
        earlier |= {f"@{group}:{label}" for label in known}


def _check_wiring(ops: "Sequence[Op]", told: str) -> None:
    shapes = {ops[0].inputs[0]: (ops[0].c_in, ops[0].size_in)}
    readers = [(name, index) for index, op in enumerate(ops) for name in op.inputs]
    for index, op in enumerate(ops):
        found = [shapes[name] for name in op.inputs]
        wanted = _wanted(op, found)
        hold(found == wanted, f"{told}: {op.label!r} wants (channels, size) {wanted}, gets {found}")
        later = op.kind == "act" and any(read in op.inputs and at > index for read, at in readers)
        hold(not later, f"{told}: {op.label!r} works in place on a tensor that is read again")
        hold(op.name not in shapes, f"{told}: two modules would be called {op.name!r}")
        shapes[op.name] = (op.c_out, op.size_out)


def _wanted(op: "Op", found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """(channels, size) that the inputs of an unrolled op must have."""
    first, rest = (op.c_in, op.size_in), found[1:]
    if op.kind == "mul":
        return [first, *((op.c_in, 1) for _ in rest)]
    if op.kind == "cat":  # any channels that add up
        fits = sum(channels for channels, _ in found) == op.c_out
        return [first, *((channels if fits else "fewer or more", op.size_in) for channels, _ in rest)]
    if op.kind == "detections":  # any maps whose numbers add up
        fits = sum(channels * size**2 for channels, size in found) == op.c_out
        return [first, *((channels if fits else "fewer or more", size) for channels, size in rest)]
    return [first] * len(found)


def _check_many(plain: dict[str, Any], told: str) -> None:
    """Networks of a space cost the same one by one, lowered all at once, and by table."""
    import numpy as np

    from archsearch.cost.count import BUILT_IN, count, count_codes
    from archsearch.cost.table import cost_table
    from archsearch.spec.space_file import parse_space

    space = parse_space(plain, name="testing")
    codes = space.sample(200 if len(space.stages) == 1 else 12, np.random.default_rng(0))
    one = [count(space.decode(code)) for code in codes]
    for way, counted in (
        ("many at once", count_codes(space, codes)),
        ("table", cost_table(space, BUILT_IN).count(codes)),
    ):
        for cost in BUILT_IN:
            wrong = np.flatnonzero(counted[cost] != [each[cost] for each in one])
            first = space.values(codes[wrong[0]]) if len(wrong) else None
            hold(first is None, f"{told}: {cost} of {way} differs from one by one, first for {first}")


def _distinct(nets: "Sequence[tuple[str, Arch]]") -> "list[tuple[str, Arch]]":
    """Those that are not the same network, op by op and wired alike: of others one model tells all."""
    from archsearch.spec.canon import canonical

    seen: dict[str, tuple[str, Arch]] = {}
    for told, arch in nets:
        seen.setdefault(canonical(arch), (told, arch))
    return list(seen.values())


def _check_model(arch: "Arch", told: str) -> None:
    """A network as torch modules: hooks agree with the counter, every parameter gets a gradient."""
    import torch

    from archsearch.cost.count import count
    from archsearch.nn.build import build, example_input
    from archsearch.nn.trace import COMPARED, by_hooks
    from archsearch.spec.lower import lower

    model = build(arch)
    counted, seen = count(arch, COMPARED), by_hooks(model, example_input(arch))
    hold(counted == seen, f"{told}: the counter says {counted}, the model {seen}")
    out = model.train()(torch.ones(2, 3, arch.resolution, arch.resolution))
    last = lower(arch)[-1]
    numbers = 2 * last.c_out * last.size_out**2
    hold(out.numel() == numbers, f"{told}: the output's shape is {tuple(out.shape)}, its last op has {numbers} numbers")
    out.sum().backward()
    idle = [path for path, p in model.named_parameters() if p.grad is None]
    hold(not idle, f"{told}: no gradient reaches {', '.join(idle)}")
