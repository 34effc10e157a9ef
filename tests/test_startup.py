"""Start-up: commands that only count import nothing heavy."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "torchvision", "optuna", "pandas", "plotly", "sklearn", "scipy", "fvcore", "pyarrow")
ASK = """
import json, sys
from archsearch.cli.main import code
left = code(sys.argv[1:])
print("\\n" + json.dumps([left, sorted(sys.modules)]))
"""


def _modules(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    """Exit code and imported modules of one command in a fresh interpreter that works in `folder`."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, *arguments], capture_output=True, text=True, check=True, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    left, modules = json.loads(done.stdout.splitlines()[-1])
    return left, set(modules)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["count", "mobilenet_v2_1.0_224"],
        ["count", "mobilenet_v2_1.0_224", "--per-layer", "--json"],
        ["count", "mobilenet_v2_1.0_224", "--per-layer", "--csv", "-"],
        ["draw", "mobilenet_v2_1.0_224"],
        ["draw", "mobilenet_v2_1.0_224", "--out", "net.html", "--json"],
        ["count", "r320 ir_s2_c16 ir_s2_c24_nhs uib_s2_a3_c32 er_s2_c32 ssdlite_c64_n81", "--per-layer"],
        ["count", "r65 ir_s2_c16 sg_s2_c24 ir_s2_c32_se0.25_sein cn_c32 deeplabv3aspp_h64_o16_n21", "--json"],
        ["space", "list"],
        ["space", "show", "nas_bench_macro", "--fix", "stage1.op=id"],
        ["space", "contains", "mobilenet_v2", "mobilenet_v2"],
        ["space", "neighbours", "mobilenet_v2", "mobilenet_v2", "--ordered"],
        ["space", "list", "--zoo", "--check"],
        ["space", "sample", "nas_bench_macro", "--budget-madds", "20M"],
        ["space", "profile", "nas_bench_macro", "--budget-madds", "20M", "--json"],
        ["space", "list", "--json"],
    ],
    ids=" ".join,
)
def test_light_commands_import_nothing_heavy(arguments, tmp_path):
    left, modules = _modules(tmp_path, *arguments)
    assert left == 0
    assert "archsearch.cli.main" in modules
    assert modules & set(HEAVY) == set()


def test_the_package_runs_as_the_command_does(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "archsearch", "count", "nonsense"], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "nonsense" in done.stderr


def test_no_command_on_any_shipped_space_imports_torch(tmp_path):
    ask = """
import sys
from archsearch.cli.main import code
from archsearch.spec.space_file import shipped
for name in shipped():
    assert code(["space", "show", name]) == code(["space", "sample", name, "-n", "2", "--json"]) == 0, name
    assert code(["space", "sample", name, "-n", "1", "--budget-madds", "50%"]) == 0, name
print("\\n" + " ".join({"torch", "torchvision", "fvcore"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == ""


def test_wrong_input_imports_nothing_heavy(tmp_path):
    left, modules = _modules(tmp_path, "count", "mobilenet_v9")
    assert left == 2
    assert modules & set(HEAVY) == set()


@pytest.mark.parametrize(
    "module", ["archsearch", "archsearch.plugins", "archsearch.spec.lower", "archsearch.cost.count"]
)
def test_counting_as_a_library_imports_no_numpy(module):
    ask = f"import sys, {module}; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
