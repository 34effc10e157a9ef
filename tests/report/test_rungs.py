"""What the page says of trainings that halt."""

import numpy as np
import pandas as pd
import pytest

from archsearch.report.page import page
from archsearch.report.rungs import curves_data, curves_plot, epochs_spent, rung_frame
from archsearch.report.tables import write_tables
from archsearch.report.view import view
from tests.search.conftest import Silent, make_run
from tests.search.test_halving import Learning, finished


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run with rungs."""
    return finished(tmp_path_factory.mktemp("rungs") / "run", trials=18, eta=3).root


def test_the_table_of_trials_tells_how_far_each_came(folder):
    seen = view(folder)
    frame = seen.frame[seen.frame["status"].isin(("trained", "stopped"))]
    assert len(frame) == 18
    assert set(frame["epochs"]) == {1, 3, 9}
    assert (frame["rung"] == frame["epochs"].map({1: 1, 3: 2, 9: 3})).all()
    assert frame.loc[frame["status"] == "stopped", "top1"].isna().all()
    trained = frame[frame["status"] == "trained"]
    assert (trained["top1"] == trained["rung_top1"]).all()
    assert frame["epochs_spent"].max() == frame["epochs"].sum()
    assert (frame["top1_after_3"].notna() == (frame["epochs"] >= 3)).all()
    assert (frame.loc[frame["epochs"] == 3, "top1_after_3"] == frame.loc[frame["epochs"] == 3, "rung_top1"]).all()
    write_tables(folder)
    assert "epochs_spent" in (folder / "trials.csv").read_text().splitlines()[0]


def test_rungs_are_counted(folder):
    seen = view(folder)
    told = rung_frame(seen.frame, [1, 3, 9])
    assert told["reached"].tolist() == [18, 6, 2]
    assert told["stopped"].tolist() == [12, 4, 0]
    assert epochs_spent(seen.frame, 9) == (18 + 6 * 2 + 2 * 6, 162)


def test_curves_have_every_value_once_and_their_fate(folder):
    seen = view(folder)
    data = curves_data(seen.study, seen.frame, seen.front)
    assert len(data) == 18 + 6 + 2
    assert set(data.loc[data["fate"] == "front", "number"]) == set(seen.front["number"])
    figure = curves_plot(data)
    drawn = sum(np.count_nonzero(pd.notna(list(trace.y))) for trace in figure.data)
    assert drawn == len(data)


def test_the_page_tells_of_rungs_only_where_there_are_some(folder, tmp_path):
    assert "Trainings that halt" in page(view(folder))
    plain = make_run(tmp_path / "plain", trials=3, sampler="random")
    plain.search(Learning(), Silent())
    plain.folder.manifest.write_text("{}")
    seen = view(tmp_path / "plain")
    assert "Trainings that halt" not in page(seen)
    assert "rung" not in seen.frame
