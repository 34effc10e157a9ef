"""The layers of the house: imports point down only, and heavy packages stay where they belong."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import archsearch

PACKAGE = Path(archsearch.__file__).parent
LEVELS = {
    "errors": 0, "toml": 0,
    "plugins": 1,
    "spec": 2,
    "cost": 3, "pareto": 3, "records": 3,
    "nn": 4, "data": 4, "surrogate": 4,
    "train": 5, "export": 5, "proxies": 5,
    "evaluate": 6, "measure": 6,
    "search": 7, "report": 7, "explore": 7, "trust": 7,
    "ablate": 8, "bench": 8, "testing": 8,
    "cli": 9,
    "__main__": 10,
}  # fmt: skip
LAZY = ("cli", "testing")  # import what lies below inside functions
TORCH = {"nn", "data", "train", "proxies", "measure", "export", "evaluate", "bench"}
HEAVY = {  # package -> units that may import it at all
    "torch": TORCH,
    "torchvision": {"data", "train", "measure", "export", "bench"},
    "numba": {"nn"},
    "fvcore": {"nn", "bench"},
    "torchinfo": {"bench"},
    "optuna": {"search", "report", "bench", "ablate"},
    "pymoo": {"bench"},
    "pandas": {"report", "evaluate", "ablate"},
    "plotly": {"report", "bench"},
    "kaleido": {"report"},
    "sklearn": {"search", "report", "data"},
    "scipy": {"surrogate", "search", "report", "measure", "explore", "trust", "ablate"},
    "statsmodels": {"ablate"},
    "pyarrow": {"data"},
    "PIL": {"data"},
    "onnx": {"export", "measure"},
    "onnxruntime": {"export", "measure"},
    "openvino": {"measure"},
    "typer": {"cli"},
    "rich": {"cli"},
}
EXCEPTIONS = {("cli/watch.py", "optuna"), ("cli/watch.py", "search")}  # imported only when a run is drawn


@dataclass(frozen=True)
class Import:
    """One imported module: where, by which file, and whether it happens when the file is imported."""

    file: str
    line: int
    module: str
    eager: bool

    @property
    def unit(self) -> str:
        """The folder or file of the package that imports."""
        return Path(self.file).parts[0].removesuffix(".py")

    @property
    def target(self) -> str | None:
        """The folder or file of our package that is imported; None for others' packages."""
        parts = self.module.split(".")
        return parts[1] if parts[0] == "archsearch" and len(parts) > 1 else None


def _imports(path: Path, file: str) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    typing = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    later = {id(node) for block in [*functions, *typing] for node in ast.walk(block)}
    for node in ast.walk(tree):
        eager = id(node) not in later
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, alias.name, eager) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
            names = (
                [f"archsearch.{alias.name}" for alias in node.names] if node.module == "archsearch" else [node.module]
            )
            yield from (Import(file, node.lineno, name, eager) for name in names)


def _all() -> list[Import]:
    files = sorted(PACKAGE.rglob("*.py"))
    return [each for path in files for each in _imports(path, path.relative_to(PACKAGE).as_posix())]


ALL = _all()
OURS = [each for each in ALL if each.target not in (None, "__version__") and each.unit != "__init__"]


def test_every_file_has_a_level():
    units = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}
    assert units - {"__init__"} <= set(LEVELS)
    assert {each.target for each in OURS} <= set(LEVELS)


def test_imports_point_down_only():
    wrong = [
        f"{each.file}:{each.line} ({each.unit}, level {LEVELS[each.unit]}) imports {each.module}"
        for each in OURS
        if each.target != each.unit and LEVELS[each.target] >= LEVELS[each.unit]
    ]
    assert wrong == []


def test_the_command_line_and_the_checks_import_what_is_not_light_inside_functions():
    eager = [each for each in OURS if each.unit in LAZY and each.eager and each.target not in LAZY]
    wrong = [f"{each.file}:{each.line} {each.module}" for each in eager
             if LEVELS[each.target] > 3 and (each.file, each.target) not in EXCEPTIONS]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("package", HEAVY)
def test_heavy_packages_stay_where_they_belong(package):
    wrong = [
        f"{each.file}:{each.line}"
        for each in ALL
        if each.module.split(".")[0] == package and each.unit not in HEAVY[package]
        and not (each.unit in LAZY and not each.eager)
        and (each.file, package) not in EXCEPTIONS
    ]  # fmt: skip
    assert wrong == []


def test_the_lowest_layers_need_the_standard_library_and_numpy_only():
    import sys

    allowed = set(sys.stdlib_module_names) | {"archsearch", "numpy"}
    low = [each for each in ALL if LEVELS.get(each.unit, 0) <= 3]
    assert [f"{each.file}:{each.line} {each.module}" for each in low if each.module.split(".")[0] not in allowed] == []


def test_the_reader_of_imports_sees_all_kinds(tmp_path):
    file = tmp_path / "some.py"
    file.write_text(
        "import torch.nn as nn\nfrom archsearch import plugins\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import optuna\n"
        "def f():\n    from archsearch.cost.count import count\n    class C:\n        import rich\n"
    )
    seen = {(each.module, each.target, each.eager) for each in _imports(file, "nn/some.py")}
    assert seen == {
        ("torch.nn", None, True), ("archsearch.plugins", "plugins", True), ("typing", None, True),
        ("optuna", None, False), ("archsearch.cost.count", "cost", False), ("rich", None, False),
    }  # fmt: skip
