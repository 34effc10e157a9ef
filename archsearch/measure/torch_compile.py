"""The device "torch-compile": torch.compile on the CPU, default mode, shapes fixed; compiled while it is loaded."""

import logging
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from archsearch.errors import DeviceError, first_line
from archsearch.measure.device import Settings, only
from archsearch.measure.fingerprint import host
from archsearch.measure.model import Model
from archsearch.measure.torch_eager import LAYOUT, cpu_facts
from archsearch.measure.torch_model import Threads, deployed, drawn_inputs

LOGGERS = ("torch.utils.cpp_extension", "torch._inductor", "torch._dynamo")


class CompiledModel:
    """A compiled network and its inputs, drawn once."""

    def __init__(self, model: Model, settings: Settings, threads: Threads) -> None:
        self._inputs = drawn_inputs(model, settings.dtype, settings.batch, layout=LAYOUT)
        self._threads: Threads | None = threads
        threads.hold()  # before it is compiled: the number of threads is written into the code
        try:
            self._call = _compiled(deployed(model, settings.dtype, layout=LAYOUT), self._inputs)
        except BaseException:
            self.close()
            raise

    def run(self) -> float:
        """One inference [ms], the check of torch's guards included."""
        assert self._threads is not None, "closed"
        self._threads.set()
        with torch.inference_mode():
            began = time.perf_counter_ns()
            self._call(*self._inputs)
            return (time.perf_counter_ns() - began) / 1e6

    def close(self) -> None:
        """Let go of the code and the weights; after the last model torch has its own number of threads again."""
        if self._threads is not None:
            self._threads.release()
            self._threads = None
            self._call, self._inputs = _closed, []


def _closed(*tensors: Tensor) -> Tensor:
    raise AssertionError("closed")


def _compiled(module: nn.Module, inputs: list[Tensor]) -> Callable[..., Tensor]:
    """The module, compiled by a first call; `fullgraph` raises where a part of it would run uncompiled."""
    call = torch.compile(_own_code(module), dynamic=False, fullgraph=True)
    with torch.inference_mode(), _quiet():
        call(*inputs)
    return call


def _own_code(module: nn.Module) -> Callable[..., Tensor]:
    """The module as a function with a code object of its own.

    Torch keeps what it has compiled by code object, eight at most, and tries them in turn at each call. All networks
    share their `forward`, so the ninth would run uncompiled, and later ones would be slower than the first.
    """

    def call(*tensors: Tensor) -> Tensor:
        answer: Tensor = module(*tensors)
        return answer

    return types.FunctionType(call.__code__.replace(), call.__globals__, "call", None, call.__closure__)


@contextmanager
def _quiet() -> Iterator[None]:
    """No log lines of torch's compiler: what matters raises."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@dataclass(frozen=True, kw_only=True)
class TorchCompile:
    """Networks compiled by torch.compile, on the CPU."""

    settings: Settings
    name: str = "torch-compile"
    threads: Threads = field(repr=False, compare=False)

    def load(self, model: Model) -> CompiledModel:
        """The model, compiled (seconds); raises DeviceError where that fails, as without a C++ compiler."""
        try:
            return CompiledModel(model, self.settings, self.threads)
        except RuntimeError as error:
            raise DeviceError(f"torch.compile cannot compile {model.name}: {_reason(error)}") from None

    def fingerprint(self) -> dict[str, Any]:
        """This machine, torch's version and what it uses of the processor, the settings."""
        return {"device": self.name, **self.settings.to_dict(), **host(["torch", "numpy"]), **cpu_facts()}


def _reason(error: RuntimeError) -> str:
    """The first line of torch's message, and a hint where no compiler was found."""
    first = first_line(error)
    return f"{first} (it needs a C++ compiler such as g++)" if "Cxx" in str(error) or "C++" in str(error) else first


def torch_compile(settings: Settings) -> TorchCompile:
    """The plug-in "torch-compile"; raises DeviceError for int8, which torch has no such kernels for."""
    only("torch-compile", settings, ("float32", "bfloat16"))
    return TorchCompile(settings=settings, threads=Threads(settings.threads))
