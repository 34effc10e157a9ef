"""Notebooks executed by the Python that runs this, in a folder of their own; and what came out of them."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
PLOTLY = "application/vnd.plotly.v1+json"
CELL_S = 240  # seconds that one cell may take


def read(path: Path) -> Any:
    """A notebook from its file."""
    return nbformat.read(path, as_version=4)


def executed(path: Path, work: Path) -> Any:
    """The notebook with the outputs of all its cells, run in the empty folder `work`, where it also keeps its files.

    The kernel is this Python, whatever kernels are installed. Figures come as plotly's own JSON.
    raises   nbclient.exceptions.CellExecutionError where a cell raises
    """
    notebook = read(path)
    spec = work / "kernels" / "this"
    spec.mkdir(parents=True)
    argv = [
        sys.executable,
        "-Xfrozen_modules=off",  # else its debugger complains
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
    ]
    told = {"argv": argv, "display_name": "this Python", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(told), encoding="utf-8")
    own = {name: str(work) for name in ("TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
    env = {**os.environ, **own, "PLOTLY_RENDERER": "plotly_mimetype"}
    known = KernelSpecManager(kernel_dirs=[str(spec.parent)], ensure_native_kernel=False)
    with tempfile.TemporaryDirectory() as wires:  # its sockets; their paths must be short
        manager = AsyncKernelManager(
            kernel_name="this", kernel_spec_manager=known, transport="ipc", connection_file=f"{wires}/k.json"
        )
        client = NotebookClient(notebook, km=manager, timeout=CELL_S, resources={"metadata": {"path": str(work)}})
        client.owns_km = True  # so that it ends the kernel
        client.execute(env=env)
    return notebook


def outputs(notebook: Any) -> Iterator[Any]:
    """What its cells left, in order."""
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def data(notebook: Any, kind: str) -> list[Any]:
    """What was displayed as one MIME type, in order."""
    return [each["data"][kind] for each in outputs(notebook) if kind in each.get("data", {})]


def printed(notebook: Any, stream: str = "stdout") -> str:
    """All that was printed."""
    return "".join(each["text"] for each in outputs(notebook) if each.get("name") == stream)
