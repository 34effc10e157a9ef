"""A run's trials as networks of its own space."""

import numpy as np
import pytest
from optuna.trial import create_trial

from archsearch.errors import SpaceError
from archsearch.report.networks import run_networks
from archsearch.report.open import open_run
from archsearch.spec.space_file import read_space
from archsearch.surrogate.domain import IDLE


@pytest.fixture
def opened(make, tmp_path):
    return open_run(make.space_run(tmp_path / "run", 12))[:2]


def test_networks_are_those_of_the_trials_in_the_order_asked_for(opened):
    study, run = opened
    axes, networks = run_networks(study, run, [7, 0, 3], minimize=["params", "latency_ms"])
    assert networks.costs.ravel().tolist() == [study.trials[n].user_attrs["costs"]["params"] for n in (7, 0, 3)]
    for code, number, madds in zip(networks.codes, [7, 0, 3], networks.traits[:, 0], strict=True):
        trial = study.trials[number]
        assert {axis.name: axis.values[i] for axis, i in zip(axes, code, strict=True)} == trial.params
        assert madds == pytest.approx(np.log(trial.user_attrs["costs"]["madds"]))
    assert ((networks.slots == networks.codes) | (networks.slots == IDLE)).all()


def test_a_resolution_without_choice_is_no_parameter_and_read_from_the_network(make, opened):
    study, run = opened
    trial = study.trials[0]
    params = {name: value for name, value in trial.params.items() if name != "resolution"}
    arch = trial.user_attrs["arch_json"]
    other = make.empty()
    other.add_trial(make.trial(make.point(0), "trained"))
    asked = {name: trial.distributions[name] for name in params}
    other.add_trial(create_trial(values=trial.values, params=params, distributions=asked, user_attrs=trial.user_attrs))
    axes, networks = run_networks(other, run, [1])
    place = [axis.name for axis in axes].index("resolution")
    assert axes[place].values[networks.codes[0, place]] == arch["resolution"]


def test_a_space_that_has_gone_is_told_by_name(opened):
    study, run = opened
    with pytest.raises(SpaceError, match="the run's space 'gone.toml' cannot be read"):
        run_networks(study, {**run, "space": "/nowhere/gone.toml"}, [0])


def test_a_space_that_has_changed_is_told(opened, tmp_path):
    study, run = opened
    path = tmp_path / "run" / "space.toml"
    path.write_text(path.read_text().replace("width = 320", "width = 640"))
    with pytest.raises(SpaceError, match="trial 0 is no network of space space: the space has changed"):
        run_networks(study, run, [0])


def test_trials_of_another_kind_of_run_are_told(make, opened):
    study = make.empty()
    study.add_trial(make.trial(make.point(0), "trained", arch_json=None))
    with pytest.raises(SpaceError, match="trial 0 is no network"):
        run_networks(study, opened[1], [0])


def test_no_trial_is_no_network(opened):
    axes, networks = run_networks(*opened, [])
    assert networks.codes.shape == (0, len(axes))
    assert axes == read_space(opened[1]["space"]).axes
