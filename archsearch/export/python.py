"""A network as a Python file that needs torch alone, spelled out from its unrolled ops, and its weights beside it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from textwrap import fill
from typing import Any

import torch
from torch import Tensor, nn

from archsearch.export.base import Answers, Exporter, Parcel
from archsearch.export.module_text import DETECTIONS, MAKERS, call
from archsearch.nn.build import example_input
from archsearch.nn.fold import folded
from archsearch.spec.arch import Arch
from archsearch.spec.canon import key
from archsearch.spec.lower import HEAD, INPUT, STEM, lower, unroll
from archsearch.spec.ops import Op
from archsearch.spec.text import to_text

FILE = '''\
"""Network {key}, written out by archsearch. It needs torch alone; its weights lie in the .pt file beside it.

{text}

For inference: batch norm is folded into the convolutions. Images are normalised as in training.
"""

from pathlib import Path

import torch
from torch import Tensor, nn{functional}

WEIGHTS = Path(__file__).with_suffix(".pt")
SIZE = {size}  # pixels


class Model(nn.Module):
    """Images float32[b, 3, {size}, {size}] -> {answer}."""

    def __init__(self) -> None:
        super().__init__()
        {made}

    def forward(self, x: Tensor) -> Tensor:
        {steps}
        return {last}

{more}
def load(weights: Path = WEIGHTS) -> Model:
    """The network with its weights, ready for inference."""
    model = Model()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model.eval()


if __name__ == "__main__":
    with torch.no_grad():
        answer = load()(torch.zeros(1, 3, SIZE, SIZE))
    print(list(answer.shape))
'''


@dataclass(frozen=True, kw_only=True)
class Line:
    """One op as Python: its modules in order, each with the attribute that holds it."""

    op: Op
    chain: tuple[tuple[str, nn.Module], ...]

    def made(self) -> dict[str, nn.Module]:
        """Attribute -> module, of those with weights."""
        return {name: module for name, module in self.chain if type(module) in MAKERS}

    def expression(self, inputs: Sequence[str]) -> str:
        """What computes the op, of the variables that hold its inputs."""
        (name, module), *rest = self.chain
        text = call(module, name, *inputs)
        for name, module in rest:
            text = call(module, name, text)
        return text


def lines(parcel: Parcel) -> list[Line]:
    """The ops of the folded network, with attributes like block3_depthwise."""
    taken: set[str] = set()
    made = []
    for op, chain in zip(unroll(lower(parcel.arch)), folded(parcel.model).chains(), strict=True):
        name = attribute(op)
        while name in taken:  # two labels may be one word as Python
            name += "_"
        taken.add(name)
        named = [(f"{name}_norm" if isinstance(module, nn.BatchNorm2d) else name, module) for module in chain]
        made.append(Line(op=op, chain=tuple(named)))
    return made


def attribute(op: Op) -> str:
    """What an unrolled op is called: its role behind the number of its block, or behind `head`."""
    role = re.sub(r"\W", "_", op.label)
    if op.stage == STEM:
        return role
    return f"head_{role}" if op.stage == HEAD else f"block{_block(op)}_{role}"


def _block(op: Op) -> int:
    """Number of an op's block, from 1: the second part of its name."""
    return int(op.name.split(".")[1])


def source(arch: Arch, written: Sequence[Line], answer: Sequence[int]) -> str:
    """The text of the Python file.

    answer   shape of the answer to one image
    """
    made = [f"self.{name} = {MAKERS[type(each)](each)}" for line in written for name, each in line.made().items()]
    steps, last = _forward(arch, written)
    functional = "\nfrom torch.nn import functional as F" if any("F." in each for each in steps) else ""
    more = DETECTIONS if written[-1].op.kind == "detections" else ""
    shape = f"float32[{', '.join(['b', *map(str, answer[1:])])}]"
    return FILE.format(key=key(arch), text=fill(to_text(arch), 110), size=arch.resolution, functional=functional,
                       answer=shape, made=_indented(made), steps=_indented(steps), last=last, more=more)  # fmt: skip


def _forward(arch: Arch, written: Sequence[Line]) -> tuple[list[str], str]:
    """The statements of `forward` with a comment at each part, and the variable that holds the answer."""
    last_use = {name: index for index, line in enumerate(written) for name in line.op.inputs}
    held = {INPUT: "x"}  # tensors that are still needed -> their variables
    statements: list[str] = []
    part = ""
    for index, line in enumerate(written):
        inputs = [held[name] for name in line.op.inputs]
        held = {name: variable for name, variable in held.items() if last_use.get(name, -1) > index}
        held[line.op.name] = _free(held.values())
        if _part(arch, line.op) != part:
            part = _part(arch, line.op)
            statements.append(f"# {part}")
        statements.append(f"{held[line.op.name]} = {line.expression(inputs)}")
    return statements, held[written[-1].op.name]


def _free(used: Any) -> str:
    """The first variable that holds nothing: x, y, z, then t3, t4, ..."""
    names = (("x", "y", "z")[number] if number < 3 else f"t{number}" for number in count())
    return next(name for name in names if name not in used)


def _part(arch: Arch, op: Op) -> str:
    if op.stage == STEM:
        return f"stem, {arch.resolution} pixels"
    if op.stage == HEAD:
        return f"head {arch.head.kind}"
    return f"block {_block(op)}, {arch.stages[op.stage].block} of stage {op.stage + 1}"


def _indented(statements: Sequence[str]) -> str:
    return ("\n" + " " * 8).join(statements)


def write_python(parcel: Parcel, folder: Path) -> dict[str, Any]:
    """model.py and model.pt, its weights."""
    written = lines(parcel)
    with torch.no_grad():
        answer = parcel.model(example_input(parcel.arch)).shape
    weights = {f"{name}.{key}": tensor.detach() for line in written for name, module in line.made().items()
               for key, tensor in module.state_dict().items()}  # fmt: skip
    (folder / "model.py").write_text(source(parcel.arch, written, answer), encoding="utf-8")
    torch.save(weights, folder / "model.pt")
    return {}


def read_python(parcel: Parcel, folder: Path) -> Answers:
    """The file run as a module of its own, its weights loaded by its own `load`."""
    path = folder / "model.py"
    names: dict[str, Any] = {"__name__": "model", "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    model: nn.Module = names["load"]()

    def answers(images: Tensor) -> Tensor:
        return model(images)

    return answers


PYTHON = Exporter(about="a Python file that needs torch alone, and its weights; batch norm folded",
                  files=("model.py", "model.pt"), write=write_python, read=read_python)  # fmt: skip
