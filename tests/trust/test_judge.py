"""Evaluators over the sample: cached, timed by the clock that comes in, learners cross-validated, failures rows."""

import math

import numpy as np
import pytest

from archsearch.errors import PluginError, TrainingError
from archsearch.evaluate.base import Evaluation
from archsearch.spec.canon import key
from archsearch.trust.judge import FOLDS, SCORES, Candidate, Judge, counted, judged
from archsearch.trust.store import Claims
from archsearch.trust.truth import Truth, job_seed
from tests.trust.workers import networks

NETS = tuple(networks(12))
TOP1 = np.linspace(0.5, 0.8, 12)[:, None] + np.array([[0.0, 0.01]])
TRUTH = Truth(networks=NETS, top1=TOP1, se=np.full((12, 2), 0.01), cost_s=60.0)


class Clock:
    """A clock that moves when it is told to."""

    now = 0.0

    def __call__(self):
        return self.now


class Fake:
    """Gives a value from a network's key and the seed; each evaluation takes a second, the first ten."""

    def __init__(self, clock=None, fails=(), value=None):
        self.clock, self.fails, self.value, self.asked = clock or Clock(), fails, value, []

    def evaluate(self, arch, job):
        self.clock.now += 1.0 if self.asked else 10.0
        self.asked.append(key(arch))
        if key(arch) in self.fails:
            raise TrainingError("too deep", reason="nan")
        value = float(int(key(arch), 16)) if self.value is None else self.value
        return Evaluation(top1=value, top1_se=0.0, top5=0.0, seconds=0.0)


class Learner:
    """Predicts the mean of the labels it was shown, and notes which."""

    def __init__(self, labels, notes):
        self.known = labels()
        notes.append({key(each.arch) for each in self.known})
        self.seen = notes[-1]

    def evaluate(self, arch, job):
        assert key(arch) not in self.seen
        mean = float(np.mean([each.top1 for each in self.known]))
        return Evaluation(top1=mean, top1_se=0.0, top5=0.0, seconds=0.0)


def judge(folder, *, truth=TRUTH, clock=None, progress=lambda *_: None):
    folder.mkdir(exist_ok=True)
    return Judge(truth=truth, folder=folder, claims=Claims(folder / "claims"), seed=3, clock=clock or Clock(),
                 wait=lambda: None, progress=progress)  # fmt: skip


def one(folder, evaluator, *, name="fake", of="", **more):
    (found,) = judged([Candidate(name=name, make=lambda *_: evaluator, of=of)], judge(folder, **more))
    return found


def test_values_are_in_the_order_of_the_networks(tmp_path):
    found = one(tmp_path / "j", Fake())
    assert found.values.tolist() == [float(int(net.key, 16)) for net in NETS]
    assert (found.failed, found.labels) == (None, 0)


def test_what_is_spent_once_is_told_apart_from_what_each_network_takes(tmp_path):
    clock = Clock()

    def make(*_):
        clock.now += 5.0
        return Fake(clock)

    (found,) = judged([Candidate(name="fake", make=make)], judge(tmp_path / "j", clock=clock))
    assert found.each_s == 1.0
    assert found.once_s == 5.0 + 9.0  # making it, and what the first network took more


def test_a_supernet_s_training_is_spent_once(tmp_path):
    class Trained(Fake):
        def evaluate(self, arch, job):
            job.progress(1, 2, "looking")
            made = super().evaluate(arch, job)
            return Evaluation(top1=made.top1, top1_se=0.0, top5=0.0, seconds=0.0, extra={"supernet_seconds": 900.0})

    told, clock = [], Clock()
    found = one(tmp_path / "j", Trained(clock), clock=clock, progress=lambda *args: told.append(args[2]))
    assert (found.each_s, found.once_s) == (1.0, 900.0)
    assert "fake 3/12 1/2 looking" in told


def test_nothing_is_asked_twice_and_a_cached_evaluator_is_not_made(tmp_path):
    first = one(tmp_path / "j", Fake())
    again = Fake()
    assert (one(tmp_path / "j", again).values == first.values).all()
    assert again.asked == []
    (cached,) = judged([Candidate(name="fake", make=lambda *_: 1 / 0)], judge(tmp_path / "j"))
    assert cached.each_s == first.each_s


def test_values_that_depend_on_something_else_do_not_count(tmp_path):
    one(tmp_path / "j", Fake(), of="supernet a")
    other = Fake()
    one(tmp_path / "j", other, of="supernet b")
    assert len(other.asked) == 12


def test_a_stop_on_the_way_loses_nothing(tmp_path):
    class Stopped(Fake):
        def evaluate(self, arch, job):
            if len(self.asked) == 7:
                raise KeyboardInterrupt
            return super().evaluate(arch, job)

    with pytest.raises(KeyboardInterrupt):
        one(tmp_path / "j", Stopped())
    assert (tmp_path / "j" / SCORES).read_text().count("\n") == 7
    rest = Fake()
    found = one(tmp_path / "j", rest)
    assert len(rest.asked) == 5
    assert found.values.tolist() == [float(int(net.key, 16)) for net in NETS]


def test_a_learner_never_sees_what_it_predicts(tmp_path):
    notes = []
    (found,) = judged([Candidate(name="learner", make=lambda labels, _: Learner(labels, notes))], judge(tmp_path / "j"))
    assert len(notes) == FOLDS
    assert found.labels == 10
    assert not np.isnan(found.values).any()
    for place, net in enumerate(NETS):
        assert net.key not in notes[place % FOLDS]


def test_new_labels_make_a_learner_anew_and_nothing_else(tmp_path):
    notes, plain = [], Fake()
    both = [Candidate(name="learner", make=lambda labels, _: Learner(labels, notes)),
            Candidate(name="fake", make=lambda *_: plain)]  # fmt: skip
    judged(both, judge(tmp_path / "j"))
    judged(both, judge(tmp_path / "j"))
    assert (len(notes), len(plain.asked)) == (FOLDS, 12)
    other = Truth(networks=NETS, top1=TOP1[::-1].copy(), se=TRUTH.se, cost_s=60.0)
    learner, _ = judged(both, judge(tmp_path / "j", truth=other))
    assert (len(notes), len(plain.asked)) == (2 * FOLDS, 12)
    assert learner.values[0] == pytest.approx(np.mean([each for i, each in enumerate(other.mean) if i % FOLDS]))


def test_a_network_on_which_it_fails_has_no_value(tmp_path):
    found = one(tmp_path / "j", Fake(fails=(NETS[4].key,)))
    assert np.flatnonzero(np.isnan(found.values)).tolist() == [4]
    assert found.failed is None
    assert math.isnan(one(tmp_path / "k", Fake(value=math.inf)).values[0])


def _cannot_load(*_):
    raise PluginError("evaluator 'x' cannot be loaded: no torch")


def _broken(*_):
    raise ZeroDivisionError("division by zero\nmore")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_cannot_load, "evaluator 'x' cannot be loaded: no torch"),
        (_broken, "ZeroDivisionError: division by zero"),
        (lambda *_: Fake(fails=[net.key for net in NETS]), "nan: too deep"),
    ],
    ids=["cannot load", "broken", "fails everywhere"],
)
def test_an_evaluator_that_fails_says_why_and_the_others_go_on(tmp_path, make, why):
    bad, good = judged([Candidate(name="bad", make=make), Candidate(name="good", make=lambda *_: Fake())],
                       judge(tmp_path / "j"))  # fmt: skip
    assert bad.failed == why
    assert np.isnan(bad.values).all()
    assert good.failed is None


def test_no_evaluator_has_the_seed_of_a_training_of_the_truth(tmp_path):
    seeds = {}

    class Noting(Fake):
        def evaluate(self, arch, job):
            seeds[key(arch)] = job.seed
            return super().evaluate(arch, job)

    one(tmp_path / "j", Noting())
    assert all(seeds[net.key] not in {job_seed(3, net.key, place) for place in range(10)} for net in NETS)


def test_progress_names_the_evaluator(tmp_path):
    told = []
    one(tmp_path / "j", Fake(), progress=lambda *args: told.append(args))
    assert told[0] == (0, 1, "fake")
    assert told[5][2].startswith("fake 4/12")
    assert told[-1] == (1, 1, "")


def test_baselines_are_counted():
    clock = Clock()
    madds, params = counted(TRUTH, clock)
    assert (madds.name, params.name) == ("madds", "params")
    assert madds.values.tolist() == [net.madds for net in NETS]
    assert params.values.tolist() == [net.params for net in NETS]
    assert madds.each_s == params.each_s == 0.0
