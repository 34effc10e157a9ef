"""Tables built on a made-up device: what is measured, what a kill leaves, what the verdict is."""

import json

import numpy as np
import pytest

from archsearch.measure.blocks import blocks_of, chosen, sampled
from archsearch.measure.build import Builder, Plan, partial_of
from archsearch.measure.local import Local
from archsearch.measure.method import Effort
from archsearch.measure.model import whole
from archsearch.measure.transfer import transferred
from archsearch.measure.verify import held_out, judged
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
    with pytest.raises(KeyboardInterrupt):
        builder(space, path, FakeDevice(fail_after=2500), most=60).table()
    known = len(builder(space, path, most=60).partial.known)
    assert 20 <= known < 80
    again = FakeDevice()
    made = builder(space, path, again, most=60).table()
    assert len(again.loaded) == 80 - known + again.loaded.count(REFERENCE)
    assert made.blocks == pytest.approx(whole_one.blocks)
    assert made.weights == pytest.approx(whole_one.weights)


def test_half_a_line_at_the_end_of_what_was_kept_is_forgotten(space, tmp_path):
    path = tmp_path / "t.json"
    with pytest.raises(KeyboardInterrupt):
        builder(space, path, FakeDevice(fail_after=3000), most=60).table()
    kept = tmp_path / "t.json.partial"
    text = kept.read_text()
    kept.write_text(text + '{"job": "abc", "anch')
    assert len(builder(space, path, most=60).partial.known) == len(text.splitlines())
    assert kept.read_text() == text
    assert all(json.loads(line) for line in kept.read_text().splitlines())


def test_another_plan_does_not_go_on_from_what_was_kept(space, tmp_path):
    path = tmp_path / "t.json"
    with pytest.raises(KeyboardInterrupt):
        builder(space, path, FakeDevice(fail_after=3000), most=60).table()
    assert builder(space, path, most=60, seed=5).partial.known == {}


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
        made.ms *= 1 + (hash(model.name) % 7) / 3
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
