"""A package of somebody else's, installed as a wheel: its block, head and metrics work everywhere ours do."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from archsearch import plugins, testing
from archsearch.cost.count import all_metrics, count, count_codes
from archsearch.cost.table import cost_table
from archsearch.nn.build import build, example_input
from archsearch.nn.trace import verify
from archsearch.spec.space_file import read_space
from archsearch.spec.text import from_text, to_text

SOURCE = Path(__file__).resolve().parent / "third_party" / "acme_blocks"
TEXT = "r64 stem_c16 ghost_s2_e3_c16 ghost_r2_s2_e2_c24_se0.25_nhs ghost_s2_c32 ir_c32 heatmap_c0_h8_n5"
SPACE = """about = "ghosts and inverted residuals under heat maps"
width = [0.5, 1.0]
resolution = [64, 96]
classes = 5
[head]
kind = "heatmap"
hidden = 16
[[stage]]
width = 16
stride = 2
op = ["ghost_e2", "ir_e3"]
[[stage]]
width = [24, 32]
stride = 2
repeats = [1, 2]
per_block = true
op = ["ghost_e2", "ghost_e3_k5", "ir_e3"]
[[stage]]
width = 48
stride = 2
block = ["ghost", "ir", "ds"]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder like site-packages, in which the package's wheel lies unpacked."""
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling builds the wheel; pip install hatchling")
    folder = tmp_path_factory.mktemp("acme")
    built = next(wheel.WheelBuilder(str(SOURCE)).build(directory=str(folder), versions=["standard"]))
    zipfile.ZipFile(built).extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def acme(site, monkeypatch):
    """The package, installed for one test."""

    def forget() -> None:
        plugins.table.cache_clear()
        plugins.load.cache_clear()

    monkeypatch.syspath_prepend(str(site))
    forget()
    yield site
    monkeypatch.undo()
    forget()


@pytest.fixture
def space(acme, tmp_path):
    """A design space of its blocks under its head."""
    file = tmp_path / "ghosts.toml"
    file.write_text(SPACE)
    return file


def test_it_is_listed_only_while_it_is_installed(site):
    assert "ghost" not in plugins.names("blocks")


def test_what_is_installed_is_listed(acme):
    assert "ghost" in plugins.names("blocks")
    assert "heatmap" in plugins.names("heads")
    assert {"depthwise_madds", "peak_int8"} <= set(all_metrics())


def test_its_block_conforms(acme):
    testing.check_block("ghost")


def test_its_head_conforms(acme):
    testing.check_head("heatmap")


@pytest.mark.parametrize("name", ["depthwise_madds", "peak_int8"])
def test_its_metrics_conform(name, acme):
    testing.check_metric(name)


def test_a_network_of_it_is_counted_built_and_traced_alike(acme):
    arch = from_text(TEXT)
    assert to_text(from_text(to_text(arch))) == to_text(arch)
    costs = count(arch, all_metrics())
    assert verify(arch)["counter"]["madds"] == costs["madds"] > costs["depthwise_madds"] > 0
    assert 4 * costs["peak_int8"] == costs["peak_memory"]
    assert build(arch).eval()(example_input(arch, 2)).shape == (2, 5, 8, 8)


def test_a_space_of_it_is_counted_one_by_one_many_at_once_and_by_table(space):
    read, names = read_space(str(space)), all_metrics()
    codes = read.sample(40, np.random.default_rng(0))
    many, table = count_codes(read, codes, names), cost_table(read, names).count(codes)
    for row, code in enumerate(codes):
        arch = read.decode(code)
        assert count(arch, names) == {name: many[name][row] for name in names}
        assert count(arch, names) == {name: table[name][row] for name in names}
        if row < 4:
            verify(arch)


ASK = """
import json, sys
from archsearch.cli.main import code
left = code(sys.argv[1:])
print("\\n" + json.dumps([left, "torch" in sys.modules]))
"""


def _command(site: Path, *arguments: object) -> str:
    """What a command prints in a new process, in which the package is installed; it imports no torch."""
    root = Path(plugins.__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", ASK, *map(str, arguments)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(root)])},
    )  # fmt: skip
    *printed, last = done.stdout.splitlines()
    assert json.loads(last) == [0, False], done.stderr
    return "\n".join(printed)


def test_count_and_its_layers_show_it(acme):
    document = json.loads(_command(acme, "count", TEXT, "--per-layer", "--json"))
    assert document["arch"] == to_text(from_text(TEXT))
    assert document["depthwise_madds"] == count(from_text(TEXT), ["depthwise_madds"])["depthwise_madds"]
    assert sum(layer["madds"] for layer in document["layers"]) == document["madds"]
    roles = [layer["role"] for layer in document["layers"]]
    assert roles.count("wide cheap") == 4
    assert "smooth" in roles
    assert "depthwise_madds" in _command(acme, "count", TEXT)


def test_the_space_commands_take_its_space(space, acme):
    shown = json.loads(_command(acme, "space", "show", space, "--json"))
    assert shown["size"] == 2 * 2 * 2 * 2 * 2 * 3 * 3 * 3
    records = json.loads(_command(acme, "space", "sample", space, "-n", 5, "--budget-madds", "8M", "--json"))
    assert len(records) == 5
    assert all(record["madds"] <= 8_000_000 and record["peak_int8"] > 0 for record in records)
