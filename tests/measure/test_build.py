"""Tables built on a made-up device: what is measured, what a kill leaves, what the verdict is."""

import hashlib
import json

import numpy as np
import pytest

from archsearch.errors import LatencyError
from archsearch.measure.blocks import blocks_of, calibrating, chosen, is_end, ordered, sampled
from archsearch.measure.build import Builder, Plan, partial_of
from archsearch.measure.local import Local
from archsearch.measure.method import Effort
from archsearch.measure.model import whole
from archsearch.measure.score import Score
from archsearch.measure.transfer import transferred
from archsearch.measure.verify import held_out, judged, why_not
from archsearch.spec.copies import copies, describe
from archsearch.spec.lower import lower
from archsearch.spec.space_file import read_space
from tests.measure.fake import FakeDevice, cost_ms

REFERENCE = "mobilenet_v2_0.5_128"
QUICK = Effort(least=3, most=5)


@pytest.fixture(scope="module")
def space():
    return read_space("linear_vs_relu")


def builder(space, path, device=None, **plan):
    watch = Local(device=device or FakeDevice())
    made = Plan(space=space, networks=20, effort=QUICK, network_effort=QUICK, **plan)
    return Builder(watch=watch, plan=made, partial=partial_of(path, made, watch))


def killed(made):
    """Build until the device dies; what was kept is let go of, as the system does with a process's files."""
    with pytest.raises(KeyboardInterrupt):
        made.table()
    made.partial.close()


def left(space, path, **plan):
    """What a build would go on from."""
    made = builder(space, path, **plan)
    made.partial.close()
    return made.partial


@pytest.fixture(scope="module")
def table(space, tmp_path_factory):
    return builder(space, tmp_path_factory.mktemp("table") / "t.json", most=150).table()


def test_every_block_of_every_network_is_listed(space):
    found = blocks_of(space)
    for code in space.sample(200, np.random.default_rng(0)):
        for each in copies(lower(space.decode(code))):
            assert not each.blocks[0] or describe(each.blocks[0]) in found


def test_a_choice_of_blocks_is_spread_and_the_same_again(space):
    found = blocks_of(space)
    some = chosen(found, 50)
    assert len(set(some)) == 50
    assert some == chosen(found, 50)
    assert chosen(found, 10**6) == list(found)
    sizes = {name.split("x")[0] for name in found}
    assert {name.split("x")[0] for name in some} == sizes


def test_networks_are_drawn_once_each_and_others_than_those_seen(space):
    first = sampled(space, 30, seed=1)
    seen = [text for text, _ in first]
    assert len(set(seen)) == 30
    assert not set(seen) & {text for text, _ in sampled(space, 30, seed=1, without=seen)}


def test_a_table_foretells_networks_that_it_never_saw(space, table):
    archs = [arch for _, arch in sampled(space, 40, seed=9)]
    truth = np.array([cost_ms(whole(arch, "")) for arch in archs])
    told = np.array([table.predict(arch) for arch in archs])
    assert np.abs(told / truth - 1).mean() < 0.02
    assert len(table.blocks) == 150
    assert table.about["blocks_of_space"] == len(blocks_of(space))
    assert not table.passed


def test_a_kill_in_the_middle_loses_at_most_a_chunk_and_the_same_table_comes_out(space, tmp_path, table, monkeypatch):
    monkeypatch.setattr("archsearch.measure.local.CHUNK", 20)
    path = tmp_path / "t.json"
    whole_one = builder(space, tmp_path / "other.json", most=60).table()
    killed(builder(space, path, FakeDevice(fail_after=2500), most=60))
    known = len(left(space, path, most=60).known)
    assert 20 <= known < 80
    again = FakeDevice()
    made = builder(space, path, again, most=60).table()
    assert len(again.loaded) == 80 - known + again.loaded.count(REFERENCE)
    assert made.blocks == pytest.approx(whole_one.blocks)
    assert made.weights == pytest.approx(whole_one.weights)


def test_another_plan_does_not_go_on_from_what_was_kept_and_sets_it_aside(space, tmp_path):
    path = tmp_path / "t.json"
    killed(builder(space, path, FakeDevice(fail_after=3000), most=60))
    kept = (tmp_path / "t.json.build.partial").read_text()
    other = left(space, path, most=60, seed=5)
    assert other.known == {}
    assert other.set_aside.read_text() == kept
    assert left(space.with_classes(7), path, most=60).known == {}


def test_another_kernel_or_governor_goes_on_from_what_was_kept(space, tmp_path):
    class Updated(FakeDevice):
        def fingerprint(self):
            return super().fingerprint() | {"system": "Linux 9", "governor": "powersave", "python": "3.99"}

    killed(builder(space, tmp_path / "t.json", FakeDevice(fail_after=3000), most=60))
    assert left(space, tmp_path / "t.json", device=Updated(), most=60).known


class Ticking:
    """A clock that a device moves on: loading a model takes a second."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def timed_builder(space, path, clock, **plan):
    class Slow(FakeDevice):
        def load(self, model):
            clock.now += model.name != REFERENCE
            return super().load(model)

    made = builder(space, path, Slow(fail_after=plan.pop("fail_after", None)), **plan)
    made.partial.clock = clock
    return made


def test_blocks_are_measured_while_there_is_time_and_the_first_ones_always(space, tmp_path):
    few = timed_builder(space, tmp_path / "a.json", Ticking(), minutes=0.01).table()
    assert len(few.blocks) == 16
    more = timed_builder(space, tmp_path / "b.json", Ticking(), minutes=4).table()
    assert len(more.blocks) == 156  # 65 % of 4 minutes, a second each
    assert more.about["seconds"] == 176  # the 20 networks, too


def test_a_build_that_goes_on_counts_the_time_of_the_one_before(space, tmp_path, monkeypatch):
    monkeypatch.setattr("archsearch.measure.local.CHUNK", 20)
    whole_one = timed_builder(space, tmp_path / "b.json", Ticking(), minutes=3).table()
    killed(timed_builder(space, tmp_path / "a.json", Ticking(), minutes=3, fail_after=9000))
    assert len(left(space, tmp_path / "a.json", minutes=3).of("blocks")) >= 80
    again = timed_builder(space, tmp_path / "a.json", Ticking(), minutes=3).table()
    assert len(again.blocks) == 117
    assert set(again.blocks) == set(whole_one.blocks)


def test_any_number_of_the_first_blocks_is_a_choice_with_the_ends_in_it(space):
    found = blocks_of(space)
    order = list(ordered(found))
    assert sorted(order) == sorted(found)
    assert set(chosen(found, 50)) == set(order[:50])
    assert {name for name in found if is_end(found[name])} <= set(order[:50])


def test_blocks_of_one_shape_are_still_chosen_once_each():
    found = blocks_of(read_space("nas_bench_macro"))
    same = {f"block {n}": next(iter(found.values())) for n in range(20)}
    assert len(set(chosen(same, 12))) == 12
    assert len(list(ordered(same))) == 20


def test_a_space_of_few_networks_is_shared_between_calibration_and_judges():
    space = read_space("nas_bench_macro")
    for axis in space.axes[2:]:
        space = space.restrict(axis.name, axis.values[:1])
    there = len(sampled(space, 100, seed=0))
    assert there < 20
    assert calibrating(space, 40, 50, seed=0) == round(there * 40 / 90)
    assert calibrating(space, 2, 3, seed=0) == 2
    for axis in space.axes[:2]:
        space = space.restrict(axis.name, axis.values[:1])
    with pytest.raises(LatencyError, match="single network"):
        calibrating(space, 40, 50, seed=0)


def test_verification_passes_a_good_table_and_fails_one_of_another_device(space, table, tmp_path):
    networks = sampled(space, 30, seed=3)
    good = judged(table, held_out(builder(space, tmp_path / "a.json"), networks))
    assert good["passed"]
    assert {row["name"] for row in good["scores"]} == {
        "table", "block sum", "madds only", "params only", "activations only", "repeat", "plain repeat"}  # fmt: skip
    json.dumps(good, allow_nan=False)
    slow = builder(space, tmp_path / "b.json", FakeDevice(factor=1.5))
    slow.partial.anchor = table.reference["ms"]
    bad = judged(table, held_out(slow, networks))
    assert bad["passed"] == good["passed"]  # a device that is slower as a whole is what the reference corrects
    off = builder(space, tmp_path / "c.json", Unlike())
    worse = judged(table, held_out(off, networks))
    assert not worse["passed"]
    assert worse["why_not"]


class Unlike(FakeDevice):
    """Takes another time for each network than the table knows."""

    def load(self, model):
        made = super().load(model)
        made.ms *= 1 + (hashlib.sha256(model.name.encode()).digest()[0] % 7) / 3
        return made


def test_a_table_is_carried_over_to_a_device_that_is_unlike(space, table, tmp_path):
    class Slower(FakeDevice):
        def load(self, model):
            made = super().load(model)
            made.ms = 2.5 * made.ms + 0.01 * len(model.ops)
            return made

    built = builder(space, tmp_path / "t.json", Slower())
    moved = transferred(table, built, sampled(space, 15, seed=4))
    archs = [arch for _, arch in sampled(space, 40, seed=9)]
    truth = np.array([2.5 * cost_ms(whole(arch, "")) + 0.01 * len(whole(arch, "").ops) for arch in archs])
    told = np.array([moved.predict(arch) for arch in archs])
    assert np.abs(told / truth - 1).mean() < 0.03
    assert moved.about["transferred_from"] == dict(table.fingerprint)
    assert moved.reference["ms"] != table.reference["ms"]


def test_networks_that_differ_too_much_in_madds_leave_the_gain_unknown(space, table, tmp_path):
    archs = sorted(sampled(space, 60, seed=3), key=lambda each: whole(each[1], "").madds)
    far = [archs[0], archs[30], archs[-1]]
    found = judged(table, held_out(builder(space, tmp_path / "a.json"), far))
    assert found["band_pairs"] == 0
    assert found["band_gain"]["madds"] == [None, None, None]
    json.dumps(found, allow_nan=False)


def scored(name, error, tau):
    return Score(name=name, error=error, within=(1.0, 1.0, 1.0), tau=tau, band_tau=0.5, worst=error)


@pytest.mark.parametrize(("error", "tau", "plain", "repeat", "told"), [
    (0.05, 0.9, 0.9, 0.02, None), (0.11, 0.9, 0.9, 0.02, "above 10.0 %"), (0.14, 0.9, 0.9, 0.5, None),
    (0.16, 0.9, 0.9, 0.5, "above 15.0 %"), (0.05, 0.59, 0.5, 0.02, "below 0.6"),
    (0.05, 0.8, 0.86, 0.02, "that of MAdds alone 0.86"), (0.05, float("nan"), 0.5, 0.02, "below 0.6"),
    (0.05, 0.8, 0.84, 0.02, None),
])  # fmt: skip
def test_a_table_is_trusted_by_its_errors_and_by_its_order(error, tau, plain, repeat, told):
    scores = [scored("table", error, tau), scored("madds only", 0.2, plain), scored("repeat", repeat, 0.9)]
    found = why_not(scores, 50, 50)
    assert found == [] if told is None else told in found[0]
