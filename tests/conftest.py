"""What all tests share: one torch thread, hypothesis kept short and repeatable, the published tables where they lie."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT.parent / "shared" / "data" / "tables"

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: its threads wait for each other on a busy machine
settings.register_profile(
    "archsearch",
    deadline=None,
    derandomize=True,
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("archsearch")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """One torch thread, if the test has imported torch; skip what needs a GPU where there is none."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")


@pytest.fixture(scope="session")
def tables() -> Path:
    """The folder of published tables; skips where it is absent."""
    if not TABLES.is_dir():
        pytest.skip(f"the published tables are not at {Path('..') / TABLES.relative_to(ROOT.parent)}")
    return TABLES


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    """Installs a package of one module with entry points: call it with its source and {group: {name: attribute}}."""
    from archsearch import plugins

    def forget() -> None:
        plugins.table.cache_clear()
        plugins.load.cache_clear()

    def install(source: str, points: dict[str, dict[str, str]], name: str = "thirdparty") -> None:
        folder = tmp_path / name
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{name}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        rows = [f"[archsearch.{group}]\n" + "".join(f"{key} = {name}:{value}\n" for key, value in table.items())
                for group, table in points.items()]  # fmt: skip
        (info / "entry_points.txt").write_text("\n".join(rows))
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, name, raising=False)
        forget()

    yield install
    monkeypatch.undo()
    forget()
