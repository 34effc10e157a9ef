"""Formats that torch makes by tracing the folded network: ONNX and torch's own PT2."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from archsearch.errors import ExportError
from archsearch.export.base import Answers, Exporter, Parcel
from archsearch.nn.build import example_input
from archsearch.nn.fold import folded
from archsearch.spec.canon import key
from archsearch.spec.text import to_text

IMAGES, ANSWER = "images", "answer"  # names of the graph's input and output
LOGGERS = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")


def program(parcel: Parcel) -> torch.export.ExportedProgram:
    """The folded network, traced; where any number of images shall be possible its first dimension is free."""
    free = parcel.batch is None
    images = example_input(parcel.arch, parcel.batch or 2)  # torch takes an example of 1 for a constant
    shapes = ({0: torch.export.Dim("batch")},) if free else None
    with torch.no_grad():
        return torch.export.export(folded(parcel.model), (images,), dynamic_shapes=shapes)


def write_pt2(parcel: Parcel, folder: Path) -> dict[str, Any]:
    """model.pt2: a torch.export archive, with the network's JSON as the extra file arch.json."""
    with _quiet():
        torch.export.save(program(parcel), folder / "model.pt2", extra_files={"arch.json": parcel.arch.to_json()})
    return {}


def read_pt2(parcel: Parcel, folder: Path) -> Answers:
    with _quiet():
        return torch.export.load(folder / "model.pt2").module()


def write_onnx(parcel: Parcel, folder: Path) -> dict[str, Any]:
    """model.onnx: weights inside, input `images`, output `answer`; the metadata name the network."""
    import_onnx()
    with _quiet():
        made = torch.onnx.export(program(parcel), input_names=[IMAGES], output_names=[ANSWER], verbose=False)
        assert made is not None
        made.model.metadata_props.update({"archsearch.arch": to_text(parcel.arch), "archsearch.key": key(parcel.arch)})
        made.save(folder / "model.onnx", external_data=False)
    return {"opset": made.model.opset_imports[""]}


def read_onnx(parcel: Parcel, folder: Path) -> Answers:
    """The file checked by onnx, and run by ONNX Runtime on one CPU thread."""
    onnx, runtime = import_onnx()
    path = str(folder / "model.onnx")
    onnx.checker.check_model(path, full_check=True)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def answers(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run([ANSWER], {IMAGES: images.numpy()})[0])

    return answers


def import_onnx() -> tuple[Any, Any]:
    """The packages onnx and onnxruntime; raises ExportError saying what to install."""
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401  (torch.onnx needs it)
    except ImportError as error:
        raise ExportError(f"ONNX needs a package that is not there ({error.name}): "
                          "pip install onnx onnxscript onnxruntime") from None  # fmt: skip
    return onnx, onnxruntime


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings and no log lines of torch's exporters."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


ONNX = Exporter(about="ONNX graph with its weights, batch norm folded", files=("model.onnx",),
                write=write_onnx, read=read_onnx, any_batch=False, runtime="onnxruntime")  # fmt: skip
PT2 = Exporter(about="torch.export program with its weights, batch norm folded", files=("model.pt2",),
               write=write_pt2, read=read_pt2, any_batch=False)  # fmt: skip
