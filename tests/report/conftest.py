"""Studies as the search writes them, made without searching: every kind of trial, by a seeded recipe."""

import json
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import TrialState, create_trial

from archsearch.cost.count import count
from archsearch.records import to_toml
from archsearch.spec.arch import Arch, Head, Stage, Stem, scaled
from archsearch.spec.canon import key
from archsearch.spec.space_file import parse_space
from archsearch.spec.text import to_text

AXES = {
    "width": (0.35, 0.5, 0.75, 1.0, 1.4),
    "resolution": (16, 24, 32, 48),
    **{f"stage{i}.expand": (3, 4, 6) for i in (2, 3, 4)},
    **{f"stage{i}.repeats": (1, 2, 3) for i in (2, 3, 4)},
    **{f"stage{i}.kernel": (3, 5) for i in (2, 3, 4)},
}
N_VALIDATION = 1000
OBJECTIVES = ("top1", "madds")
BUDGETS = {"madds": (None, 8e6)}
COMMAND = ("archsearch", "run", "--budget-madds", "8M", "--data", "digits")


def network(params: Mapping[str, Any]) -> Arch:
    """The network of one point of `AXES`."""
    stages = [Stage(width=scaled(16, params["width"]), expand=1)]
    for i, width, stride in ((2, 24, 2), (3, 48, 2), (4, 96, 1)):
        options = {name: params[f"stage{i}.{name}"] for name in ("expand", "repeats", "kernel")}
        stages.append(Stage(width=scaled(width, params["width"]), stride=stride, **options))
    return Arch(
        resolution=params["resolution"],
        stem=Stem(width=scaled(32, params["width"]), stride=1),
        stages=tuple(stages),
        head=Head(width=scaled(640, params["width"]), classes=10),
    )


def point(rng: np.random.Generator) -> dict[str, Any]:
    """One network of the space, drawn at random."""
    return {name: choices[rng.integers(len(choices))] for name, choices in AXES.items()}


def told_trial(
    params: Mapping[str, Any],
    status: str,
    /,
    *,
    top1: float = 0.5,
    objectives: Sequence[str] = OBJECTIVES,
    **attrs: Any,
) -> optuna.trial.FrozenTrial:
    """A trial as the search leaves it; `attrs` replace what the recipe gives."""
    arch = network(params)
    costs = count(arch)
    values: list[float] | None = [top1 if status in ("trained", "replayed") else 0.0]
    known = {"arch": to_text(arch), "arch_json": arch.to_dict(), "key": key(arch), "costs": costs}
    if status in ("trained", "replayed"):
        error = float(np.sqrt(top1 * (1 - top1) / N_VALIDATION))
        known |= {"top1": top1, "top5": min(1.0, top1 + 0.2), "top1_se": error, "seconds": 4.0}
    state = {"failed": TrialState.FAIL, "skipped": TrialState.FAIL, "running": TrialState.RUNNING}.get(
        status, TrialState.COMPLETE
    )
    if state is TrialState.COMPLETE:
        values += [float({**known, **attrs}["costs"][name]) for name in objectives[1:]]
    else:
        values = None
    known["status"] = status
    if status in ("failed", "skipped"):
        known["reason"] = "nan: the loss is not a number" if status == "failed" else "the same network as trial 9"
    space = {name: CategoricalDistribution(AXES.get(name, (value, "other"))) for name, value in params.items()}
    return create_trial(
        state=state, values=values, params=dict(params), distributions=space, user_attrs={**known, **attrs}
    )


def empty_study(
    objectives: Sequence[str] = OBJECTIVES,
    budgets: Mapping[str, Sequence[float | None]] | None = None,
    storage: Any = None,
) -> optuna.Study:
    """A study with the attributes of a run and no trial."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    directions = ["maximize"] + ["minimize"] * (len(objectives) - 1)
    study = optuna.create_study(study_name="archsearch", storage=storage, directions=directions)
    study.set_user_attr("archsearch:objectives", list(objectives))
    study.set_user_attr("archsearch:budgets", {name: list(ends) for name, ends in (budgets or {}).items()})
    return study


def fill(study: optuna.Study, trials: int, *, seed: int = 0, tested: bool = True) -> optuna.Study:
    """`trials` trials of all kinds: accuracy grows with cost and saturates, and bigger kernels help a little."""
    rng = np.random.default_rng(seed)
    seen: dict[str, optuna.trial.FrozenTrial] = {}
    last = point(rng)
    for number in range(trials):
        params = last if number % 12 == 7 or number == 27 else point(rng)  # now and then a sampler repeats itself
        trial = _next_trial(study, params, seen, is_last=2 < number == trials - 1, rng=rng)
        study.add_trial(trial)
        if trial.user_attrs["status"] in ("trained", "failed"):
            seen[trial.user_attrs["key"]] = study.trials[-1]
            last = params
    for trial in study.best_trials if tested else []:
        _test(study, trial)
    return study


def _next_trial(
    study: optuna.Study, params: dict[str, Any], seen: Mapping[str, Any], *, is_last: bool, rng: np.random.Generator
) -> optuna.trial.FrozenTrial:
    """What becomes of a proposal: over budget, seen before, still running, failed or trained."""
    objectives, number = study.user_attrs["archsearch:objectives"], len(study.trials)
    costs, first = count(network(params)), seen.get(key(network(params)))
    limits = study.user_attrs["archsearch:budgets"].items()
    if any(not (low or 0) <= costs[name] <= (high or np.inf) for name, (low, high) in limits):
        return told_trial(params, "over_budget", objectives=objectives)
    if first is not None and first.user_attrs["status"] == "failed":
        return told_trial(params, "skipped")
    if first is not None:
        top1 = first.user_attrs["top1"]
        return told_trial(params, "replayed", top1=top1, objectives=objectives, replay_of=first.number)
    if is_last or number == 26:
        return told_trial(params, "running" if is_last else "failed")
    top1 = 0.34 + 0.155 * np.log10(costs["madds"] / 1e5) + 0.02 * (params["stage3.kernel"] == 5) + rng.normal(0, 0.025)
    top1 = round(float(np.clip(top1, 0.1, 0.99)) * N_VALIDATION) / N_VALIDATION
    return told_trial(params, "trained", top1=top1, objectives=objectives)


def _test(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    if trial.user_attrs.get("status") != "trained":
        return
    top1 = min(0.995, trial.user_attrs["top1"] + 0.03)
    test = {"top1_test": top1, "top5_test": 0.999, "top1_test_se": 0.006, "epochs": 40, "seconds": 61.0}
    study.set_user_attr(f"archsearch:test:{trial.number}", test)


def write_files(folder: Path, *, command: Sequence[str] = COMMAND, **dataset: Any) -> Path:
    """run.toml and manifest.json of a run's folder."""
    run = {"space": "mobilenet_v2_small", "data": "digits", "seed": 0, "epochs": 3, "trial_images": 4000}
    data = {"name": "digits", "fingerprint": "5f1c0a9b7e21", "classes": [str(i) for i in range(10)], "n_train": 1150}
    manifest = {
        "argv": list(command),
        "packages": {"archsearch": "0.1.0", "optuna": "5.0.0"},
        "device": "cpu",
        "seeds": {"run": 0},
    }
    (folder / "run.toml").write_text(to_toml(run))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "dataset": {**data, **dataset}}))
    return folder


def journal(folder: Path) -> JournalStorage:
    """The journal of a run's folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(folder / "study.journal")))


def write_run(folder: Path, trials: int, *, objectives: Sequence[str] = OBJECTIVES, budgets: Any = None) -> Path:
    """The whole folder of a run with `trials` trials."""
    fill(empty_study(objectives, budgets, journal(folder)), trials)
    return write_files(folder)


SPACE = """
width = [0.35, 0.5, 0.75, 1.0, 1.4]
resolution = [16, 24, 32]
classes = 10
[stem]
width = 16
stride = 1
[head]
width = 320
[[stage]]
width = 16
expand = [1, 3, 6]
kernel = [3, 5, 7]
[[stage]]
width = 32
stride = 2
repeats = [1, 2, 3]
expand = [2, 3, 6]
"""  # of runs whose trials are networks of their space


def write_space_run(
    folder: Path, trials: int, *, noise: float = 0.0, seed: int = 0, objectives: Sequence[str] = OBJECTIVES,
    budgets: Mapping[str, Any] | None = None, gains: bool = False,
) -> Path:  # fmt: skip
    """A run's folder whose trials are networks of the space in it: accuracy grows with cost, and with one kernel.

    noise    standard deviation of a measurement, also told as its standard error; the true accuracy of a trial is
             its user attribute "truth"
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "space.toml").write_text(SPACE)
    space = parse_space(tomllib.loads(SPACE), name="space")
    rng = np.random.default_rng(seed)
    study = empty_study(objectives, budgets, journal(folder))
    for number, code in enumerate(space.sample(trials, rng)):
        arch, params = space.decode(code), space.values(code)
        costs = count(arch)
        truth = 0.2 + 0.1 * np.log10(costs["madds"] / 1e5) + 0.05 * (params["stage1.kernel"] == 5)
        truth = float(truth + 0.02 * params["stage2.expand"] ** 0.5)
        top1 = float(np.clip(truth + rng.normal(0, noise), 0.01, 0.99))
        known = {"status": "trained", "arch": to_text(arch), "arch_json": arch.to_dict(), "key": key(arch),
                 "costs": costs, "top1": top1, "top1_se": noise, "top5": 0.9, "truth": truth}  # fmt: skip
        told = {"archsearch:gain": 0.1 * 0.93**number} if gains and number >= 10 else {}
        axes = {axis.name: CategoricalDistribution(axis.values) for axis in space.axes}
        study.add_trial(create_trial(values=[top1, *(float(costs[name]) for name in objectives[1:])], params=params,
                                     distributions=axes, user_attrs=known, system_attrs=told))  # fmt: skip
    write_files(folder)
    (folder / "run.toml").write_text(to_toml({"space": str(folder / "space.toml"), "data": "digits", "seed": 0}))
    return folder


class Make:
    """What the tests build studies with."""

    axes = AXES
    trial = staticmethod(told_trial)
    empty = staticmethod(empty_study)
    files = staticmethod(write_files)
    run = staticmethod(write_run)
    space_run = staticmethod(write_space_run)

    @staticmethod
    def point(seed: Any) -> dict[str, Any]:
        return point(np.random.default_rng(seed))

    @staticmethod
    def filled(trials: int, *, tested: bool = True, **study: Any) -> optuna.Study:
        return fill(empty_study(**study), trials, tested=tested)

    @staticmethod
    def storage(folder: Path) -> optuna.Study:
        return empty_study(storage=journal(folder))


@pytest.fixture
def make() -> type[Make]:
    """Builders of studies and runs."""
    return Make


@pytest.fixture(scope="session")
def study() -> optuna.Study:
    """60 trials of all kinds under a budget, to read."""
    return fill(empty_study(budgets=BUDGETS), 60)


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of such a run, to copy."""
    return write_run(tmp_path_factory.mktemp("runs") / "digits-8M", 60, budgets=BUDGETS)


@pytest.fixture
def run_dir(whole_run: Path, tmp_path: Path) -> Path:
    """The folder of such a run, to change."""
    return Path(shutil.copytree(whole_run, tmp_path / whole_run.name))


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A Chromium or Chrome, or the test is skipped."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no Chromium or Chrome on this machine")
