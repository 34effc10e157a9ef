"""The wheel: holds the shipped spaces, and they are found in it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.strategies import SHIPPED

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The built wheel."""
    builders = pytest.importorskip(
        "hatchling.builders.wheel", reason="hatchling builds the wheel; pip install hatchling"
    )
    folder = tmp_path_factory.mktemp("dist")
    return Path(next(builders.WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


def test_the_wheel_holds_the_shipped_spaces_and_the_type_marker(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"archsearch/search_spaces/{name}.toml" for name in SHIPPED} <= set(names)
    assert "archsearch/py.typed" in names
    assert "archsearch/report/page.css" in names
    assert {name.split("/")[0] for name in names} == {"archsearch", "archsearch-0.1.0.dist-info"}
    assert len(names) == len(set(names))


def test_spaces_are_read_from_the_unpacked_wheel(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    ask = (
        "import archsearch\nfrom archsearch.spec.space_file import read_space, shipped, shipped_folder\n"
        "print(archsearch.__file__)\nprint(shipped_folder())\nprint(*shipped())\n"
        "print(sum(read_space(name).size for name in shipped()))\n"
        "from archsearch.records import environment\nprint(environment()['commit'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
    )  # fmt: skip
    package, folder, names, size, commit = done.stdout.splitlines()
    assert package == str(tmp_path / "site" / "archsearch" / "__init__.py")
    assert folder == str(tmp_path / "site" / "archsearch" / "search_spaces")
    assert names.split() == list(SHIPPED)
    assert int(size) > 6561
    assert commit == "None"  # installed: no checkout of ours


def test_the_command_is_the_entry_point():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"archsearch": "archsearch.cli.main:main"}


def test_the_version_is_one_number():
    import tomllib

    import archsearch

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == archsearch.__version__
