"""The evaluator "supernet": judged by inference alone, the same each time; finalists begin with what they inherit."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from archsearch.data.load import load
from archsearch.errors import RunError, TrainingError
from archsearch.evaluate.base import Job, Setup
from archsearch.evaluate.supernet import FOLDER, Judge, Judged, lasting, planned, supernet_evaluator
from archsearch.spec.presets import read_arch
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_file import parse_space
from archsearch.train import checkpoint, supernet_folder
from archsearch.train.recipe import Recipe
from archsearch.train.supernet_recipe import SupernetRecipe

SPACE = """
resolution = [10, 12]
classes = 10
[stem]
width = 8
stride = 1
[head]
width = 32
[[stage]]
width = 16
stride = 2
kernel = [3, 5]
expand = [1, 3]
[[stage]]
width = 16
op = ["id", "ir_k3_e2"]
"""
SHORT = SupernetRecipe.from_dict({"epochs": 10, "images": 500, "batch": 50, "networks": 1, "sampling": "uniform",
                                  "lr": 0.8, "padding": 1, "half": 0.0})  # fmt: skip
FINAL = Recipe(epochs=1, batch=128, ema=0, norm_images=256)


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def space() -> SearchSpace:
    return parse_space(tomllib.loads(SPACE), name="tiny")


@pytest.fixture(scope="module")
def folder(digits, tmp_path_factory) -> Path:
    """A trained supernet."""
    made = tmp_path_factory.mktemp("supernet")
    supernet_folder.trained(made, planned(space(), digits, SHORT))
    return made


def job(folder: Path, number: int = 0) -> Job:
    return Job(number=number, seed=number, folder=folder)


def setup(digits, **changes) -> Setup:
    return Setup(**{"dataset": lambda: digits, "recipe": FINAL, "final_recipe": FINAL, "images": 300,
                    "space": space(), **changes})  # fmt: skip


def some(n: int = 3):
    return [space().decode(code) for code in space().sample(n, np.random.default_rng(1))]


def test_a_network_is_judged_the_same_each_time_and_in_any_order(digits, folder, tmp_path):
    archs = some(4)
    one, other = (supernet_evaluator(setup(digits, supernet=folder)) for _ in range(2))
    first = [one.evaluate(arch, job(tmp_path, number)) for number, arch in enumerate(archs)]
    again = [other.evaluate(arch, job(tmp_path, 9)) for arch in archs[::-1]][::-1]
    assert [(each.top1, each.top5) for each in first] == [(each.top1, each.top5) for each in again]
    assert all(each.top1_se > 0 and each.extra["supernet_seconds"] > 0 for each in first)
    assert all(each.seconds < each.extra["supernet_seconds"] for each in first)


def test_what_is_judged_is_the_stand_alone_network_on_the_validation_images(digits, folder, tmp_path):
    arch = some(1)[0]
    supernet = supernet_folder.loaded(folder)
    judge = Judge(dataset=digits, supernet=supernet, images=0, norm_images=0)
    model = supernet.weights.network(arch).eval()
    [(x, y)] = judge._made("val", 0, 10**6, arch.resolution)
    with torch.no_grad():
        answers = model(x)
    right = (answers.argmax(1) == y).double().mean().item()
    assert judge.score(arch).loss == pytest.approx(torch.nn.functional.cross_entropy(answers, y).item(), rel=1e-5)
    assert judge.score(arch).top1 == pytest.approx(right)
    assert judge.score(arch).images == len(digits.splits["val"])


def test_a_trained_supernet_knows_more_than_chance(digits, folder):
    judge = Judge(dataset=digits, supernet=supernet_folder.loaded(folder))
    assert max(judge.score(arch).top1 for arch in some(6)) > 0.2


def test_without_a_folder_the_run_trains_its_own_once(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "archsearch.evaluate.supernet.SupernetRecipe", lambda: replace(SHORT, base=replace(SHORT.base, epochs=1))
    )
    told = []
    first = supernet_evaluator(setup(digits, folder=tmp_path))
    assert not (tmp_path / FOLDER).exists()
    asked = replace(job(tmp_path), progress=lambda done, total, text: told.append(text))
    one = first.evaluate(some()[0], asked)
    assert told[-1].startswith("supernet, loss ")
    count = len(told)
    other = supernet_evaluator(setup(digits, folder=tmp_path)).evaluate(some()[0], asked)
    assert len(told) == count
    assert other.top1 == one.top1


def test_a_finalist_begins_with_what_it_inherits_and_is_tested(digits, folder, tmp_path):
    arch = some(1)[0]
    slow = replace(FINAL, lr=1e-9)  # nothing is learnt: what is tested is what was inherited
    done = supernet_evaluator(setup(digits, supernet=folder, final_recipe=slow)).final(arch, job(tmp_path))
    kept = checkpoint.load(tmp_path / "model.pt")["state_dict"]
    inherited = supernet_folder.loaded(folder).weights.inherit(arch)
    assert max((kept[name] - inherited[name]).abs().max().item() for name in inherited) < 1e-4
    assert done.extra["images"] == len(digits.splits["test"])


def test_a_network_outside_the_space_fails_alone(digits, folder, tmp_path):
    evaluator = supernet_evaluator(setup(digits, supernet=folder))
    with pytest.raises(TrainingError, match="not in space tiny") as caught:
        evaluator.evaluate(read_arch("mobilenet_v2_0.5_32"), job(tmp_path))
    assert caught.value.reason == "not in the supernet"


def test_what_is_missing_is_told(digits, tmp_path):
    with pytest.raises(RunError, match="needs a design space"):
        supernet_evaluator(setup(digits, space=None))
    with pytest.raises(RunError, match="holds no supernet"):
        supernet_evaluator(setup(digits, supernet=tmp_path / "none"))


def test_a_supernet_of_other_classes_is_refused(digits, tmp_path, folder):
    fewer = replace(digits, classes=digits.classes[:9])
    with pytest.raises(RunError, match="tells 10 classes apart, .* has 9"):
        supernet_evaluator(setup(fewer, supernet=folder)).evaluate(some()[0], job(tmp_path))


def test_no_error_is_below_half_an_image():
    assert Judged(top1=1.0, top5=1.0, images=100, loss=0.0).top1_se == 0.005
    assert Judged(top1=0.5, top5=1.0, images=100, loss=1.0).top1_se == pytest.approx(0.05)


@pytest.mark.parametrize(("seconds", "told"), [(40, "40 s"), (3120, "52 min"), (11160, "3.1 h")])
def test_durations_for_people(seconds, told):
    assert lasting(seconds) == told
