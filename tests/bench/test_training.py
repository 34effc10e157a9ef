"""Our training loop beside a plain one: the same task, the same images, and figures that add up."""

from multiprocessing import Pipe
from threading import Thread

import numpy as np
import pytest
import torch

from archsearch.bench.plain_loop import SingleImages, plain_train, transforms
from archsearch.bench.training import PLAIN, Question, Team, _summary, contenders, network, turn_images
from archsearch.bench.training_accuracy import Trainings, compared, difference
from archsearch.bench.training_process import Work, serve
from archsearch.cli.main import code
from archsearch.cost.count import count
from archsearch.errors import RecipeError, TrainingError
from archsearch.nn.build import build
from archsearch.spec.arch import Arch, Head, Stage, Stem
from archsearch.train.batching import eval_batches
from archsearch.train.job import TrainRun
from archsearch.train.recipe import Recipe
from archsearch.train.seed import seeded
from tests.train.stripes_task import CLASSES, small_data, small_recipe

ARCH = Arch(resolution=8, stem=Stem(width=8, stride=1), stages=(Stage(width=8, repeats=1, stride=2, expand=4),),
            head=Head(classes=CLASSES, width=16))  # fmt: skip


def test_the_network_is_mobilenet_v2_halved_three_times():
    arch = network(1.0, 32)
    assert count(arch, ("params",))["params"] == 2_236_682  # torchvision's mobilenet_v2(num_classes=10)
    assert count(arch, ("madds",))["madds"] == pytest.approx(91.2e6, rel=0.05)


def test_both_loops_see_the_same_pixels():
    data, recipe = small_data(), small_recipe()
    _, keep = transforms(data, recipe, 8)
    plain = SingleImages(data.eval, 8, keep)
    ours, labels = next(iter(eval_batches(data, recipe, TrainRun(size=8)).epoch(0)))
    assert torch.allclose(torch.stack([plain[i][0] for i in range(len(plain))]), ours, atol=1e-5)
    assert [plain[i][1] for i in range(len(plain))] == labels.tolist()


def test_the_plain_loop_learns_and_repeats():
    def trained():
        with seeded(0):
            model = build(ARCH)
        return plain_train(model, small_data(), small_recipe(dropout=0.0, epochs=16), run=TrainRun(size=8))

    first, again = trained(), trained()
    assert first.top1 > 0.9
    assert (first.top1, first.train_loss) == (again.top1, again.train_loss)


def test_accuracies_are_compared_seed_by_seed():
    asked = Trainings(arch=ARCH, recipe=small_recipe(dropout=0.0, epochs=3), seeds=(0, 1))
    calls: list[tuple[int, int, str]] = []
    told = compared(asked, small_data(), lambda *call: calls.append(call))
    assert [len(values) for values in told["top1"].values()] == [2, 2]
    assert told["difference"] == pytest.approx(np.mean(told["top1"]["ours"]) - np.mean(told["top1"]["plain"]))
    assert max(done for done, _, _ in calls) == calls[0][1] == 12
    with pytest.raises(RecipeError, match="seeds must be 2 to 20, got 1"):
        Trainings(arch=ARCH, recipe=Recipe(), seeds=(0,))


def test_an_interval_by_hand():
    told = difference([0.5, 0.6, 0.7], [0.4, 0.6, 0.5])  # gaps 0.1, 0, 0.2: mean 0.1, deviation 0.1
    assert told["difference"] == pytest.approx(0.1)
    assert told["interval"] == pytest.approx([0.1 - 4.303 * 0.1 / 3**0.5, 0.1 + 4.303 * 0.1 / 3**0.5])
    assert told["same"]
    assert not difference([0.5, 0.6, 0.71], [0.4, 0.5, 0.6])["same"]


def test_contenders_and_turns():
    work = Work(plain=False, threads=None, device="cpu", batch=4, images=np.zeros((1, 3, 8, 8), np.uint8),
                labels=np.zeros(1, np.int64))  # fmt: skip
    cpu = contenders(Question(processes=3), work)
    assert [len(each) for each in cpu.values()] == [1, 1, 1, 3]
    assert cpu[PLAIN][0].plain
    assert {each.threads for each in cpu["ours, 3 processes of 1 thread"]} == {1}
    gpu = contenders(Question(device="cuda"), work)
    assert [sum(each.compile for each in team) for team in gpu.values()] == [0, 0, 1, 0]
    arch = network(0.25, 32)
    each = 6 * count(arch, ("madds",))["madds"]
    assert turn_images(Question(seconds=10), arch, 1e3 * each) == 128 * 8  # a tenth of the peak: 100 images/s
    assert turn_images(Question(seconds=0.1), arch, each) == 2 * 128


def tiny(plain: bool) -> Work:
    data = small_data()
    return Work(plain=plain, threads=1, device="cpu", batch=4, images=data.train.images[:10].numpy(),
                labels=data.train.labels[:10].numpy())  # fmt: skip


@pytest.mark.parametrize("plain", [True, False])
def test_a_contender_trains_an_epoch_each_time_it_is_told_to(plain):
    mine, theirs = Pipe()
    served = Thread(target=serve, args=(theirs, tiny(plain)))
    served.start()
    for _ in range(2):
        mine.send((ARCH.to_json(), 12))
        assert mine.recv() > 0
        mine.send("go")
        assert mine.recv() > 0
        mine.send("stop")
    mine.send("threads")
    assert mine.recv() == 1
    mine.close()
    served.join()


def test_a_process_that_ends_is_told():
    team = Team("some loop", [tiny(True)])
    assert team.ask("threads") == [1]
    with pytest.raises(TrainingError, match="the process of some loop ended"):
        team.ask(("no network", 4))
    team.close()


def test_figures_add_up():
    arch = network(0.25, 32)
    rates = {PLAIN: [50.0, 100.0, 80.0], "ours": [200.0, 250.0, 240.0]}
    told = _summary(arch, rates, {PLAIN: 1e12, "ours": 2e12})
    row = told["contenders"]["ours"]
    assert (row["images_per_second"], row["quartiles"], row["times_plain"]) == (240, [220, 245], 3)
    assert row["gflops"] == pytest.approx(2 * 3 * told["madds"] * 240 / 1e9)
    assert row["share_of_peak"] == pytest.approx(row["gflops"] * 1e9 / 2e12)
    assert row["networks_per_hour"] == pytest.approx(240 * 3600 / 500_000)


@pytest.mark.parametrize("widths", ["", "a", "0", "0.5,,1", "9"])
def test_widths_that_cannot_be_are_told(capfd, widths):
    assert code(["bench", "training", "--widths", widths]) == 2
    assert "--widths must be numbers above 0" in capfd.readouterr().err
