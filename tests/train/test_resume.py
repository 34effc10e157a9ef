"""A training that is stopped, killed or damaged ends like one that is left alone."""

import logging
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from archsearch.errors import CheckpointError
from archsearch.train import checkpoint
from archsearch.train.loop import TrainRun, train
from tests.train.stripes_task import SIZE, small_data, small_model, small_recipe

KILLED = """
    import sys, torch
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from stripes_task import SIZE, small_data, small_model, small_recipe
    from archsearch.train.loop import TrainRun, train
    torch.set_num_threads(1)
    train(small_model(), small_data(), small_recipe(epochs=12), run=TrainRun(size=SIZE, folder=Path(sys.argv[1])),
          on_epoch=lambda log: print(log.epoch, flush=True))
"""


class Stop(Exception):
    pass


def stop_after(epoch: int):
    def on_epoch(log):
        if log.epoch == epoch:
            raise Stop

    return on_epoch


def stopped(folder: Path, epoch: int, **changes) -> None:
    with pytest.raises(Stop):
        train(
            small_model(),
            small_data(),
            small_recipe(**changes),
            run=TrainRun(size=SIZE, folder=folder),
            on_epoch=stop_after(epoch),
        )


def finished(folder: Path | None, **changes):
    """Final weights and figures of a training that starts from other first weights than `stopped` did."""
    model = small_model(seed=0 if folder is None else 99)
    result = train(model, small_data(), small_recipe(**changes), run=TrainRun(size=SIZE, folder=folder))
    figures = [(log.epoch, log.train_loss, log.lr, log.top1, log.top5) for log in result.history]
    return model.state_dict(), (result.top1, result.top5, result.images, figures), result.resumed_from


def assert_same(one, other) -> None:
    assert one[1] == other[1]
    assert one[0].keys() == other[0].keys()
    assert [name for name in one[0] if not torch.equal(one[0][name], other[0][name])] == []


@pytest.mark.parametrize("changes", [{}, {"ema": 0}, {"amp": "bfloat16"}, {"extra": ("RandomErasing",)}])
@pytest.mark.parametrize("epoch", [1, 3])
def test_a_stopped_training_ends_with_the_same_bits(tmp_path, epoch, changes):
    stopped(tmp_path, epoch, **changes)
    found = finished(tmp_path, **changes)
    assert found[2] == epoch
    assert_same(found, finished(None, **changes))


def test_a_killed_training_ends_with_the_same_bits(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            if int(line) == 3:
                child.kill()
                break
    assert child.returncode == -signal.SIGKILL
    found = finished(tmp_path, epochs=12)
    assert 3 <= found[2] <= 12
    assert_same(found, finished(None, epochs=12))


def test_a_finished_training_returns_at_once_with_its_weights(tmp_path):
    run = TrainRun(size=SIZE, folder=tmp_path)
    first, again, told = small_model(), small_model(seed=5), []
    done = train(first, small_data(), small_recipe(), run=run)
    same = train(again, small_data(), small_recipe(), run=run, on_epoch=told.append)
    assert told == []
    assert same.resumed_from == 4
    assert (same.top1, same.images, same.history, same.seconds) == (done.top1, done.images, done.history, done.seconds)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_damaged_last_checkpoint_costs_one_epoch_and_a_warning(tmp_path, caplog, keep):
    stopped(tmp_path, 3)
    last = tmp_path / "last.pt"
    last.write_bytes(last.read_bytes()[:keep])
    with caplog.at_level(logging.WARNING, logger="archsearch"):
        found = finished(tmp_path)
    assert found[2] == 2
    assert "last.pt is truncated or damaged" in caplog.text
    assert "previous.pt" in caplog.text
    assert_same(found, finished(None))


def test_a_damaged_checkpoint_never_replaces_the_good_one_before_it(tmp_path):
    stopped(tmp_path, 2)
    (tmp_path / "last.pt").write_bytes(b"damaged")
    stopped(tmp_path, 2)
    assert len(checkpoint.load(tmp_path / "previous.pt")["history"]) == 1
    assert len(checkpoint.load(tmp_path / "last.pt")["history"]) == 2


def test_a_kill_between_two_renames_loses_nothing(tmp_path):
    stopped(tmp_path, 3)
    (tmp_path / "last.pt").unlink()
    found = finished(tmp_path)
    assert found[2] == 2
    assert_same(found, finished(None))


def test_two_damaged_checkpoints_are_an_error_that_helps(tmp_path):
    stopped(tmp_path, 2)
    for name in ("last.pt", "previous.pt"):
        (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(
        CheckpointError, match="last.pt is truncated or damaged.*delete .* to start this training again"
    ):
        finished(tmp_path)


@pytest.mark.parametrize(
    ("differs", "data", "recipe", "run"),
    [
        ("recipe.lr is 0.4 there and 0.3 here", {}, {"lr": 0.3}, {}),
        ("seed is 0 there and 1 here", {}, {}, {"seed": 1}),
        ("data is ", {"train": 196}, {}, {}),
        ("data is ", {"judged": 40}, {}, {}),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, differs, data, recipe, run):
    stopped(tmp_path, 1)
    with pytest.raises(CheckpointError, match=differs):
        train(
            small_model(),
            small_data(**data),
            small_recipe(**recipe),
            run=TrainRun(size=SIZE, folder=tmp_path, **run),
        )


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    stopped(tmp_path, 1)
    other = small_model()
    other[3] = torch.nn.Conv2d(16, 16, 3, padding=1, groups=8, bias=False)
    with pytest.raises(CheckpointError, match="model is .* there"):
        train(other, small_data(), small_recipe(), run=TrainRun(size=SIZE, folder=tmp_path))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot make checkpoint folder .*file"):
        train(small_model(), small_data(), small_recipe(), run=TrainRun(size=SIZE, folder=tmp_path / "file" / "a"))
