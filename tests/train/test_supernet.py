"""Training a supernet: it learns, and stopped anywhere it ends with the same bits."""

import itertools
import json
import signal
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

from archsearch.errors import CheckpointError, RecipeError, RunError, TrainingError
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_file import parse_space
from archsearch.train import checkpoint, supernet_folder
from archsearch.train.job import TrainRun
from archsearch.train.supernet import train_supernet
from archsearch.train.supernet_folder import Plan, about, loaded, trained
from archsearch.train.supernet_recipe import SupernetRecipe
from tests.train.stripes_task import CLASSES, SIZE, small_data

SPACE = """
width = [0.5, 1.0]
resolution = [6, 8]
classes = 4
[stem]
width = 8
stride = 1
[head]
width = 16
[[stage]]
width = 8
repeats = [1, 2]
kernel = [3, 5]
expand = [1, 2]
[[stage]]
width = 16
stride = 2
op = ["id", "ir_k3_e2"]
"""


def space() -> SearchSpace:
    return parse_space(tomllib.loads(SPACE), name="tiny")


def recipe(**changes) -> SupernetRecipe:
    return SupernetRecipe.from_dict(
        {"epochs": 3, "batch": 32, "lr": 0.4, "padding": 1, "networks": 3, "half": 0.0, **changes}
    )


KILLED = """
    import sys, torch
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from tests.train.test_supernet import recipe, run, small_data, space
    from archsearch.train.supernet import train_supernet
    torch.set_num_threads(1)
    train_supernet(space(), small_data(), recipe(), run=run(Path(sys.argv[1])),
                   on_step=lambda log: print(log.step, flush=True))
"""


class Stop(Exception):
    pass


def run(folder=None, **changes) -> TrainRun:
    return TrainRun(folder=folder, size=SIZE, clock=itertools.count(0.0, 20.0).__next__, **changes)


def bits(made) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in made.weights.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("changes", [
    {"ema": 0.9}, {"sampling": "fair", "share": "choices"}, {"sampling": "uniform", "networks": 1, "half": 0.5},
])  # fmt: skip
def test_stopped_at_random_steps_it_ends_with_the_same_bits(tmp_path, changes):
    whole = train_supernet(space(), small_data(), recipe(**changes), run=run())
    stops = iter(sorted(np.random.default_rng(len(str(changes))).choice(17, 5, replace=False) + 1))
    resumed, stop = None, next(stops)

    def stopping(log) -> None:
        if log.step >= stop:
            raise Stop

    while resumed is None:
        try:
            resumed = train_supernet(space(), small_data(), recipe(**changes), run=run(tmp_path), on_step=stopping)
        except Stop:
            stop = next(stops, 10**6)
    assert same(bits(resumed), bits(whole))
    assert resumed.losses == whole.losses


def test_killed_at_random_steps_it_ends_with_the_same_bits(tmp_path):
    whole = train_supernet(space(), small_data(), recipe(), run=run())
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), str(Path(__file__).parents[2])]
    for stop in sorted(np.random.default_rng(5).choice(15, 5, replace=False) + 1):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            for line in child.stdout:
                if int(line) >= stop:
                    child.kill()
                    break
        assert child.returncode == -signal.SIGKILL
    resumed = train_supernet(space(), small_data(), recipe(), run=run(tmp_path))
    assert same(bits(resumed), bits(whole))
    assert resumed.losses == whole.losses


def test_it_learns_and_every_epoch_has_its_loss():
    done = train_supernet(space(), small_data(), recipe(epochs=12, lr=1.0, distill=False), run=run())
    assert len(done.losses) == 12
    assert done.losses[-1] < 0.5 * done.losses[0]


def test_a_finished_training_returns_at_once(tmp_path):
    first = train_supernet(space(), small_data(), recipe(epochs=1), run=run(tmp_path))
    told = []
    again = train_supernet(space(), small_data(), recipe(epochs=1), run=run(tmp_path), on_step=told.append)
    assert told == []
    assert same(bits(first), bits(again))


def test_a_checkpoint_is_written_within_an_epoch_once_a_minute_is_over(tmp_path):
    def stop_at_four(log) -> None:
        if log.step == 4:
            raise Stop

    with pytest.raises(Stop):
        train_supernet(space(), small_data(), recipe(), run=run(tmp_path), on_step=stop_at_four)
    assert checkpoint.load(tmp_path / "last.pt")["at"]["step"] == 3  # of 6; a step takes 20 s on this clock


def test_another_training_in_the_same_folder_is_refused(tmp_path):
    train_supernet(space(), small_data(), recipe(epochs=1), run=run(tmp_path))
    with pytest.raises(CheckpointError, match="recipe.share is 'slices' there and 'choices' here"):
        train_supernet(space(), small_data(), recipe(epochs=1, share="choices"), run=run(tmp_path))


def test_a_loss_that_is_no_number_ends_the_training():
    with pytest.raises(TrainingError, match="not finite") as caught:
        train_supernet(space(), small_data(), recipe(lr=1e9, warmup=0), run=run())
    assert caught.value.reason == "nan"


# the folder ----------------------------------------------------------------------------------------------------------


def plan(**changes) -> Plan:
    return Plan(**{"space": space(), "data": small_data(), "recipe": recipe(epochs=1), "size": SIZE,
                   "source": "stripes", **changes})  # fmt: skip


def test_a_finished_folder_is_loaded_and_not_trained_again(tmp_path):
    made = trained(tmp_path, plan())
    told = []
    again = trained(tmp_path, plan(), on_step=told.append)
    assert told == []
    assert same(bits(made), bits(again))
    assert again.seconds == made.seconds
    assert loaded(tmp_path).weights.space.size == space().size


def test_the_folder_says_what_it_holds(tmp_path):
    trained(tmp_path, plan(seed=3))
    told = json.loads((tmp_path / "supernet.json").read_text())
    assert told == about(tmp_path)
    assert (told["classes"], told["seed"], told["data"], told["recipe"]["epochs"]) == (CLASSES, 3, "stripes", 1)


@pytest.mark.parametrize(("changes", "told"), [
    ({"seed": 1}, "seed is 0 there, 1 here"),
    ({"recipe": recipe(epochs=2)}, "epochs is 1 there, 2 here"),
    ({"space": space().restrict("width", (1.0,))}, "digest is "),
    ({"data": small_data(train=150)}, "train_images is 200 there, 150 here"),
])  # fmt: skip
def test_a_folder_of_another_supernet_is_refused(tmp_path, changes, told):
    trained(tmp_path, plan())
    with pytest.raises(RunError, match=f"holds another supernet: .*{told}"):
        trained(tmp_path, plan(**changes))


def test_an_unfinished_supernet_cannot_be_used(tmp_path):
    def stop(log) -> None:
        raise Stop

    with pytest.raises(Stop):
        trained(tmp_path, plan(), on_step=stop)
    with pytest.raises(RunError, match="is not finished; archsearch supernet --out"):
        loaded(tmp_path)


def test_a_folder_without_a_supernet_is_told(tmp_path):
    with pytest.raises(RunError, match="holds no supernet; train one with archsearch supernet"):
        loaded(tmp_path)


def test_a_space_that_was_changed_by_hand_is_noticed(tmp_path):
    trained(tmp_path, plan())
    file = tmp_path / "space.toml"
    file.write_text(file.read_text().replace("5", "7", 1))
    with pytest.raises(RunError, match="was changed since the supernet was trained"):
        loaded(tmp_path)


@pytest.mark.parametrize(("told", "wrong"), [({"format": 1}, "has no space"), ([], "of another version")])
def test_a_damaged_description_is_told(tmp_path, told, wrong):
    (tmp_path / "supernet.json").write_text(json.dumps(told))
    for use in (lambda: loaded(tmp_path), lambda: trained(tmp_path, plan())):
        with pytest.raises(RunError, match=wrong):
            use()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / ".lock").mkdir()
    with pytest.raises(RunError, match="cannot be written: Is a directory"):
        trained(tmp_path, plan())


def test_a_second_process_waits_for_the_first(tmp_path):
    with supernet_folder.alone(tmp_path / "lock"):
        waited = []

        def give_up() -> None:
            waited.append(1)
            raise Stop

        with pytest.raises(Stop), supernet_folder.alone(tmp_path / "lock", give_up):
            pass
    assert waited == [1]
    with supernet_folder.alone(tmp_path / "lock", give_up):
        pass


@pytest.mark.parametrize(("changes", "told"), [
    ({"networks": 1}, "supernet networks must be a whole number, at least 2, got 1"),
    ({"sampling": "fare"}, "did you mean 'fair'"),
    ({"share": "slice"}, "did you mean 'slices'"),
    ({"half": 2}, "supernet half must be a number from 0 to 1, got 2"),
    ({"distill": 1}, "supernet distill must be true or false, got 1"),
    ({"dropout": 0.1}, "trained without dropout, got 0.1"),
    ({"epoch": 3}, "unknown supernet recipe field 'epoch': did you mean 'epochs'"),
])  # fmt: skip
def test_a_recipe_that_cannot_be_followed_is_told(changes, told):
    with pytest.raises(RecipeError, match=told):
        SupernetRecipe.from_dict({"sampling": "sandwich", **changes})


def test_a_recipe_comes_back_from_its_plain_values():
    told = recipe(sampling="fair", half=0.5, lr=0.3)
    assert SupernetRecipe.from_dict(json.loads(json.dumps(told.to_dict()))) == told
