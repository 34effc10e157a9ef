"""Opening a run: budgets, folders, configs."""

import pytest

from archsearch.cost.feasible import check, read_budget
from archsearch.errors import BudgetError, RunError
from archsearch.search.config import RunConfig, differences
from archsearch.search.plan import batch_for, plan
from archsearch.search.run import fit_to_images, space_hash
from archsearch.spec.space_file import read_space
from tests.search.conftest import make_run


def test_a_folder_that_holds_another_run_is_refused_naming_the_difference(tmp_path):
    make_run(tmp_path / "run", seed=0)
    with pytest.raises(RunError, match="holds another run: seed is 0 there, 1 here"):
        make_run(tmp_path / "run", seed=1)


def test_a_changed_space_file_is_another_run(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("width = [0.5, 1.0]\n[[stage]]\nwidth = 16\nkernel = [3, 5]\n")
    make_run(tmp_path / "run", space=str(path), budgets={})
    path.write_text("width = [0.5, 1.0]\n[[stage]]\nwidth = 16\nkernel = [3, 7]\n")
    with pytest.raises(RunError, match="has changed"):
        make_run(tmp_path / "run", space=str(path), budgets={})


@pytest.mark.parametrize("free", [{"trials": 99}, {"timeout": 3.0}, {"finalists": 0}, {"threads": 1}])
def test_amounts_may_change_on_resume(tmp_path, free):
    make_run(tmp_path / "run")
    make_run(tmp_path / "run", **free)


def test_a_folder_with_other_things_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        make_run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_storage_that_cannot_be_opened_claims_no_folder(tmp_path):
    for wrong in ("foo://bar", "sqlite:////nowhere/at/all.db"):
        with pytest.raises(RunError, match="cannot be opened"):
            make_run(tmp_path / "run", storage=wrong)
    make_run(tmp_path / "run", storage=f"sqlite:///{tmp_path}/study.db")
    make_run(tmp_path / "run", storage=f"sqlite:///{tmp_path}/study.db")


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(RunError, match="is a file"):
        make_run(tmp_path / "run")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        make_run(tmp_path / "file" / "run")


def test_run_toml_reads_back_to_the_same_config(tmp_path):
    run = make_run(tmp_path / "run", budgets={"madds": "20M", "params": "60%"}, sampler="tpe", timeout=7.5)
    from archsearch.records import read_toml

    assert RunConfig.from_dict(read_toml(run.folder.command)) == run.config
    assert differences(run.config, run.config) == []


def test_a_storage_url_is_used_instead_of_the_journal(tmp_path, silent):
    from tests.search.conftest import Noting

    url = f"sqlite:///{tmp_path / 'study.db'}"
    run = make_run(tmp_path / "run", trials=4, storage=url)
    run.search(Noting(), silent)
    again = make_run(tmp_path / "run", trials=4, storage=url)
    assert len(again.ledger.trials()) == 4
    assert not run.folder.journal.exists()


def test_a_study_in_a_shared_storage_belongs_to_one_folder(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    make_run(tmp_path / "one", storage=url)
    with pytest.raises(RunError, match="belongs to the folder"):
        make_run(tmp_path / "two", storage=url)


@pytest.mark.parametrize(("key", "value"), [
    ("trials", '"x"'), ("trials", "-3"), ("minimize", "5"), ("finalists", '"q"'), ("seed", "true"), ("colour", "1"),
])  # fmt: skip
def test_a_run_toml_edited_to_nonsense_is_told(tmp_path, key, value):
    run = make_run(tmp_path / "run")
    lines = [line for line in run.folder.command.read_text().splitlines() if not line.startswith(f"{key} =")]
    run.folder.command.write_text("\n".join([f"{key} = {value}", *lines]) + "\n")
    with pytest.raises(RunError, match=key):
        make_run(tmp_path / "run")


def test_a_bad_storage_url_is_one_line(tmp_path):
    with pytest.raises(RunError, match="cannot be opened"):
        make_run(tmp_path / "run", storage="nosuch://here")


@pytest.mark.parametrize(("budgets", "told"), [
    ({"madds": "100k"}, "the nearest possible is 1,247,672"),
    ({"madds": "900M..950M"}, "the nearest possible is 348,975,616"),
    ({"params": "1k"}, "the nearest possible is 128,570"),
    ({"madds": "1.5M", "params": "3M..4M"}, "meets the whole budget; the nearest possible has madds"),
])  # fmt: skip
def test_an_impossible_budget_tells_the_nearest_possible(budgets, told):
    space = read_space("mobilenet_v2_small")
    with pytest.raises(BudgetError, match=told):
        check(space, read_budget(budgets, space))


def test_a_percentage_is_of_the_largest_network():
    space = read_space("nas_bench_macro")
    assert read_budget({"madds": "50%"}, space).limits["madds"].high == 105_660_928 // 2


def test_a_narrow_band_is_found_where_sampling_finds_little():
    import numpy as np

    from archsearch.cost.feasible import pool

    space = read_space("mobilenet_v2")
    budget = read_budget({"madds": "1.0G..1.1G"}, space)
    check(space, budget)
    found = pool(space, budget, 5, np.random.default_rng(0))
    assert len(found.codes) >= 1
    assert (found.costs["madds"] >= 10**9).all()


def test_resolutions_above_the_images_are_left_out_and_the_smallest_stays():
    space = read_space("mobilenet_v2")
    kept, note = fit_to_images(space, 150)
    assert [axis.values for axis in kept.axes if axis.name == "resolution"] == [(96, 128)]
    assert "160, 192, 224" in note
    tiny, _ = fit_to_images(space, 10)
    assert tiny.decode(tiny.sample(1, __import__("numpy").random.default_rng(0))[0]).resolution == 96
    assert fit_to_images(space, 500) == (space, None)
    assert space_hash(kept) != space_hash(space)


def test_default_amounts_follow_device_and_number_of_images():
    digits, cifar, gpu = plan(1295, "cpu"), plan(45_000, "cpu"), plan(45_000, "cuda")
    assert digits.trial_images == 1295
    assert cifar.trial_images == 5000
    assert gpu.trial_images == 45_000
    assert digits.batch < cifar.batch <= gpu.batch
    assert digits.final_epochs > cifar.final_epochs
    assert gpu.trials > cifar.trials
    assert batch_for(10, 128) == 32
