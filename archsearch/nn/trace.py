"""Second and third opinions on costs: torch hooks on the built model, and fvcore."""

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from archsearch.cost.count import count
from archsearch.errors import CountError
from archsearch.nn.build import build, example_input
from archsearch.spec.arch import Arch

COMPARED = ("madds", "params", "activations")


def by_hooks(model: nn.Module, image: Tensor) -> dict[str, int]:
    """madds, params and activations of a model by forward hooks on its convolution and linear layers.

    image    float32[1, 3, r, r]
    """
    totals = {"madds": 0, "params": sum(p.numel() for p in model.parameters()), "activations": 0}

    def hook(module: nn.Module, _: object, out: Tensor) -> None:
        weight = module.weight
        assert isinstance(weight, Tensor)
        totals["madds"] += out.numel() * weight[0].numel()
        totals["activations"] += out.numel()

    handles = [m.register_forward_hook(hook) for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    try:
        with torch.no_grad(), _evaluating(model):
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    return totals


def by_fvcore(model: nn.Module, image: Tensor) -> dict[str, int]:
    """madds (fvcore's `conv` and `linear` entries), params and activations of a model by fvcore, traced once."""
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad(), _evaluating(model):
        warnings.simplefilter("ignore")  # torch's: its tracer is deprecated, and Python numbers in shapes are constants
        from fvcore.nn import FlopCountAnalysis, jit_handles, parameter_count

        analysis = FlopCountAnalysis(model, image).unsupported_ops_warnings(False)
        for op, flops in (("aten::_convolution", "conv_flop_jit"), ("aten::linear", "linear_flop_jit")):
            analysis.set_op_handle(op, _both(getattr(jit_handles, flops), jit_handles.generic_activation_jit()))
        counted = analysis.by_operator()
    return {
        "madds": int(counted["madds"]),
        "params": parameter_count(model)[""],
        "activations": int(counted["activations"]),
    }


def _both(flops: Callable[..., Any], activations: Callable[..., Any]) -> Callable[..., Counter[str]]:
    """An fvcore handle that gives both counts of one operation, so that one trace serves for both."""

    def handle(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
        counted = flops(inputs, outputs)
        total = sum(counted.values()) if isinstance(counted, dict) else counted
        made = activations(inputs, outputs)
        return Counter(madds=int(total), activations=int(sum(made.values()) if isinstance(made, dict) else made))

    return handle


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for as long as it lasts; every module gets its own mode back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def opinions(arch: Arch, model: nn.Module | None = None) -> dict[str, dict[str, int]]:
    """madds, params and activations of one network from the counter, from hooks and from fvcore."""
    model = model or build(arch)
    image = example_input(arch)
    return {
        "counter": count(arch, COMPARED),
        "hooks": by_hooks(model, image),
        "fvcore": by_fvcore(model, image),
    }


def verify(arch: Arch) -> dict[str, dict[str, int]]:
    """`opinions`, all agreeing.

    raises   CountError naming the metric and the values where they do not
    """
    return agree(opinions(arch))


def agree(said: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """The same table, when all of its columns are equal; else CountError."""
    for name in COMPARED:
        values = {who: costs[name] for who, costs in said.items()}
        if len(set(values.values())) != 1:
            told = ", ".join(f"{who} {value:,}" for who, value in values.items())
            raise CountError(f"{name} differs: {told}")
    return {who: dict(costs) for who, costs in said.items()}
