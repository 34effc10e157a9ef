"""NAS-Bench-Macro as published, read once; and a few networks of it, made here, in each layout."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest

from archsearch.cost.table import cost_table
from archsearch.evaluate.table import Table
from archsearch.evaluate.table_file import read_table
from archsearch.spec.space_file import read_space


@pytest.fixture(scope="session")
def macro(tables) -> Table:
    """All of NAS-Bench-Macro; skips where the published tables are absent."""
    return read_table(tables / "nas_bench_macro.csv")


@pytest.fixture(scope="session")
def records() -> list[dict]:
    """120 rows in the layout of NAS-Bench-Macro, with made-up accuracies: equal networks have equal ones."""
    space, rng = read_space("nas_bench_macro"), np.random.default_rng(3)
    codes = np.unique(space.sample(120, rng), axis=0)
    costs = cost_table(space, ("madds", "params")).count(codes)
    rows = []
    for number, code in enumerate(codes):
        madds, params = int(costs["madds"][number]), int(costs["params"][number])
        accuracies = [round(60 + params % 997 / 40 + seed / 7, 2) for seed in range(3)]
        rows.append({"arch": "".join(map(str, code)), "test_acc": accuracies, "mean_acc": float(np.mean(accuracies)),
                     "std": float(np.std(accuracies)), "params": params, "flops": madds})  # fmt: skip
    return rows


@pytest.fixture
def layouts(records, tmp_path) -> dict[str, tuple[Path, object]]:
    """The same rows as published (JSON), as CSV, and as parquet under other names with a mapping."""
    (tmp_path / "m.json").write_text(
        json.dumps({r["arch"]: {k: v for k, v in r.items() if k != "arch"} for r in records})
    )
    flat = [{"arch": r["arch"], **{f"acc{i}": a for i, a in enumerate(r["test_acc"], start=1)}, "params": r["params"],
             "macs": r["flops"]} for r in records]  # fmt: skip
    pandas.DataFrame(flat).to_csv(tmp_path / "m.csv", index=False)
    space = read_space("nas_bench_macro")
    named = [{**{f"op{i}": axis.values[int(r["arch"][i])] for i, axis in enumerate(space.axes)},
              "errors": [100 - a for a in r["test_acc"]], "weights": r["params"] / 1000} 
             for r in reversed(records)]  # fmt: skip
    pandas.DataFrame(named).to_parquet(tmp_path / "m.parquet")
    mapping = {
        "space": "nas_bench_macro", "accuracy": {"columns": "errors{seed}", "unit": "error"},
        "axes": {axis.name: f"op{i}" for i, axis in enumerate(space.axes)},
        "costs": {"params": {"column": "weights", "factor": 1000}}, "costs_from": "counted",
    }  # fmt: skip
    return {
        "json": (tmp_path / "m.json", None),
        "csv": (tmp_path / "m.csv", None),
        "parquet": (tmp_path / "m.parquet", mapping),
    }
