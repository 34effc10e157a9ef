"""What all tests share: one torch thread, hypothesis kept short and repeatable, the published tables where they lie."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT.parent / "shared" / "data" / "tables"

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
