"""Conformance checks: does a plug-in keep its promises? Third parties call them from their own tests, as we do.

    from archsearch.testing import check_block
    def test_my_block():
        check_block("mine")

Each raises AssertionError saying what is wrong; none needs a GPU, a network or data.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsearch.evaluate.base import Evaluation, Evaluator
    from archsearch.search.run import Run
    from archsearch.spec.arch import Arch
    from archsearch.spec.ops import Op

SPACE = {  # 216 networks of some 100 k MAdds
    "resolution": [8, 12],
    "classes": 3,
    "stem": {"width": 8, "stride": 1},
    "head": {"width": 16},
    "stage": [
        {"width": [8, 16], "kernel": [3, 5, 7], "expand": [1, 2, 3]},
        {"width": 16, "stride": 2, "repeats": [1, 2, 3], "block": ["ir", "ds"]},
    ],
}


def check_block(name: str) -> None:
    """A block type: wired, the same for one and for many networks, counted as it is built, trainable.

    raises   AssertionError
    """
    from archsearch.cost.count import count, metric
    from archsearch.spec.lower import lower, unroll

    for arch in _block_nets(name):
        ops = lower(arch)
        told = f"block {name!r} in {arch.stages[0]}"
        _check_labels(ops, told)
        written = unroll(ops)
        _check_wiring(written, told)
        for cost in ("madds", "params", "activations", "peak_memory"):
            one, total = count(arch, (cost,))[cost], metric(cost).total(written)
            _hold(one == total, f"{told}: {cost} is {one} with `times`, {total} written out")
        for op, live in zip(written, live_bytes(written), strict=True):
            priced = metric("peak_memory").price(op)
            _hold(live == priced, f"{told}: {live} bytes are live at {op.label!r}, `held` makes it {priced}")
    _check_many(name)
    _check_model(name)


def check_metric(name: str) -> None:
    """A metric: named like its row, a whole number at least 0, the same for one and for many networks.

    raises   AssertionError
    """
    import numpy as np

    from archsearch.cost.count import count, count_codes, metric
    from archsearch.cost.table import cost_table
    from archsearch.spec.space_file import parse_space

    made = metric(name)
    _hold(made.name == name, f"metric {name!r} calls itself {made.name!r}")
    _hold(bool(made.about), f"metric {name!r} says nothing about itself")
    space = parse_space(SPACE, name="testing")
    codes = next(space.enumerate())
    one = [count(space.decode(code), (name,))[name] for code in codes]
    _hold(min(one) >= 0, f"metric {name!r} is below 0: {min(one)}")
    for way, counted in (
        ("count_codes", count_codes(space, codes, (name,))),
        ("table", cost_table(space, (name,)).count(codes)),
    ):
        wrong = np.flatnonzero(np.array(one) != counted[name])
        _hold(
            len(wrong) == 0,
            f"metric {name!r} by {way} differs from one by one on {len(wrong)} of {len(codes)} networks",
        )


def check_evaluator(evaluator: "Evaluator", arch: "Arch", folder: Path) -> None:
    """An evaluator: fractions with a standard error, progress told to its end, the same again in another folder.

    arch     a network that it can evaluate, the cheaper the better
    folder   an empty folder to work in
    raises   AssertionError
    """
    from archsearch.evaluate.base import Job

    told: list[tuple[int, int]] = []
    jobs = [Job(number=0, seed=7, folder=folder / each, progress=lambda done, total, _: told.append((done, total)))
            for each in ("one", "two")]  # fmt: skip
    first, second = (evaluator.evaluate(arch, job) for job in jobs)
    _hold(bool(told) and told[-1][0] == told[-1][1], f"the last progress told was {told[-1:]}, not all of it")
    for result in (first, evaluator.final(arch, jobs[0])):
        _check_evaluation(result)
    same = ("top1", "top1_se", "top5")
    for name in same:
        values = getattr(first, name), getattr(second, name)
        _hold(values[0] == values[1], f"{name} of the same network and seed is {values[0]}, then {values[1]}")


def check_sampler(name: str, folder: Path, *, trials: int = 24) -> None:
    """A sampler in a small run: nothing over budget or twice evaluated, repeatable, the same after a stop.

    folder   an empty folder to work in
    raises   AssertionError
    """
    runs = [_small_run(name, folder / each, trials=trials) for each in ("whole", "again")]
    stopped = _small_run(name, folder / "stopped", trials=trials // 2)
    runs.append(_small_run(name, folder / "stopped", trials=trials))
    lists = [[(t.params, t.values, t.user_attrs["status"]) for t in run.ledger.trials()] for run in runs]
    _hold(lists[0] == lists[1], f"sampler {name!r}: the same seed gives other trials")
    _hold(lists[0] == lists[2], f"sampler {name!r}: stopped and resumed it gives other trials")
    _hold(stopped.folder.root == runs[2].folder.root, "the resumed run has a folder of its own")
    for run in runs:
        evaluated = [t for t in run.ledger.trials() if t.user_attrs["status"] == "trained"]
        keys = [t.user_attrs["key"] for t in evaluated]
        over = [t.number for t in evaluated if not run.problem.budget.fits(t.user_attrs["costs"])]
        _hold(len(evaluated) == trials, f"sampler {name!r} evaluated {len(evaluated)} networks instead of {trials}")
        _hold(not over, f"sampler {name!r}: trials {over} are over budget")
        _hold(len(set(keys)) == len(keys), f"sampler {name!r}: some network was evaluated twice")


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


def _hold(true: bool, told: str) -> None:
    if not true:
        raise AssertionError(told)


def _block_nets(name: str) -> "Iterator[Arch]":
    """Small networks of one stage of this block, every switch in every position."""
    from itertools import product

    from archsearch.spec.arch import BOTTLENECKS, SHORTCUTS, Arch, Head, Stage, Stem

    switches = product((8, 16), (1, 2), (1, 3), BOTTLENECKS, SHORTCUTS, (0, 0.25))
    for number, (width, stride, expand, bottleneck, shortcut, se) in enumerate(switches):
        stage = Stage(block=name, width=width, repeats=2, stride=stride, expand=expand, kernel=5,
                      start=3 * (number % 2), bottleneck=bottleneck, shortcut=shortcut, se=se)  # fmt: skip
        yield Arch(resolution=7, stem=Stem(width=8, stride=1), stages=(stage,), head=Head(width=0, classes=3))


def _check_labels(ops: "Sequence[Op]", told: str) -> None:
    from itertools import groupby

    from archsearch.spec.ops import KINDS

    for _, members in groupby(ops, key=lambda op: op.group):
        known = {""}
        for op in members:
            _hold(op.kind in KINDS, f"{told}: op kind {op.kind!r} is none of {', '.join(KINDS)}")
            _hold(op.label not in known, f"{told}: two ops are labelled {op.label!r}")
            _hold(known.issuperset(op.inputs), f"{told}: {op.label!r} reads {op.inputs}, which nothing before it makes")
            known.add(op.label)


def _check_wiring(ops: "Sequence[Op]", told: str) -> None:
    shapes = {ops[0].inputs[0]: (ops[0].c_in, ops[0].size_in)}
    readers = [(name, index) for index, op in enumerate(ops) for name in op.inputs]
    for index, op in enumerate(ops):
        for place, name in enumerate(op.inputs):
            wanted = op.c_in, 1 if place and op.kind == "mul" else op.size_in
            _hold(shapes[name] == wanted, f"{told}: {op.label!r} wants (channels, size) {wanted}, gets {shapes[name]}")
            later = op.kind == "act" and any(read == name and at > index for read, at in readers)
            _hold(not later, f"{told}: {op.label!r} works in place on a tensor that is read again")
        _hold(op.name not in shapes, f"{told}: two modules would be called {op.name!r}")
        shapes[op.name] = (op.c_out, op.size_out)


def _check_many(name: str) -> None:
    """The block lowered for all networks at once costs what it costs one by one."""
    import numpy as np

    from archsearch.cost.count import BUILT_IN, count, count_codes
    from archsearch.spec.arch import BOTTLENECKS, SHORTCUTS
    from archsearch.spec.space_file import parse_space

    stage = {"width": [8, 16], "stride": [1, 2], "expand": [1, 3], "repeats": [1, 2], "bottleneck": list(BOTTLENECKS),
             "shortcut": list(SHORTCUTS), "se": [0, 0.25], "block": list(dict.fromkeys((name, "ir")))}  # fmt: skip
    space = parse_space({"resolution": 7, "stem": {"width": 8, "stride": 1}, "stage": [stage]}, name="testing")
    codes = next(space.enumerate())[::5]
    many = count_codes(space, codes)
    one = [count(space.decode(code)) for code in codes]
    for cost in BUILT_IN:
        wrong = np.flatnonzero(many[cost] != [each[cost] for each in one])
        first = space.values(codes[wrong[0]]) if len(wrong) else None
        _hold(first is None, f"block {name!r}: {cost} of many at once differs from one by one, first for {first}")


def _check_model(name: str) -> None:
    """The block as torch modules: hooks agree with the counter, every parameter gets a gradient."""
    import torch

    from archsearch.cost.count import count
    from archsearch.nn.build import build, example_input
    from archsearch.nn.trace import COMPARED, by_hooks

    for arch in _block_nets(name):
        told = f"block {name!r} in {arch.stages[0]}"
        model = build(arch)
        counted, seen = count(arch, COMPARED), by_hooks(model, example_input(arch))
        _hold(counted == seen, f"{told}: the counter says {counted}, the model {seen}")
        out = model.train()(torch.ones(2, 3, arch.resolution, arch.resolution))
        _hold(tuple(out.shape) == (2, arch.head.classes), f"{told}: the output's shape is {tuple(out.shape)}")
        out.sum().backward()  # type: ignore[no-untyped-call]
        idle = [path for path, p in model.named_parameters() if p.grad is None]
        _hold(not idle, f"{told}: no gradient reaches {', '.join(idle)}")


def _check_evaluation(result: "Evaluation") -> None:
    for name in ("top1", "top5", "top1_se"):
        value: Any = getattr(result, name)
        _hold(isinstance(value, float) and 0 <= value <= 1, f"{name} must be a fraction, got {value!r}")
    _hold(result.top5 >= result.top1, f"top5 {result.top5} is below top1 {result.top1}")
    _hold(result.seconds >= 0, f"seconds are {result.seconds}")


class _Silent:
    """A watch that shows nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def _small_run(sampler: str, folder: Path, *, trials: int) -> "Run":
    """A run of a small space under a budget on made-up accuracies, searched to its end."""
    from archsearch.cost.feasible import read_budget
    from archsearch.evaluate.synthetic import SyntheticEvaluator
    from archsearch.records import RunFolder
    from archsearch.search.config import RunConfig
    from archsearch.search.propose import Problem
    from archsearch.search.run import open_run, space_hash
    from archsearch.spec.space_file import parse_space

    space = parse_space(SPACE, name="testing")
    config = RunConfig(space="testing", space_hash=space_hash(space), data="none", data_hash="none",
                       evaluator="synthetic", sampler=sampler, trials=trials, seed=5,
                       budgets={"madds": "60%"})  # fmt: skip
    problem = Problem(space=space, budget=read_budget(config.budgets, space))
    run = open_run(config, problem, RunFolder(folder))
    run.search(SyntheticEvaluator(), _Silent())
    return run
