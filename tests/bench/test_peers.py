"""Other counters agree with ours on any network, once their conventions are put into ours."""

import sys

import pytest
from hypothesis import given, settings

from archsearch.bench import peers
from archsearch.cost.count import count
from archsearch.errors import CountError
from archsearch.nn.build import build, example_input
from archsearch.spec.presets import mobilenet_v2
from tests.strategies import archs

BY_NAME = {peer.name: peer for peer in peers.PEERS}


@pytest.mark.parametrize("peer", peers.PEERS, ids=lambda peer: peer.name)
@settings(max_examples=15, deadline=None)
@given(arch=archs())
def test_each_counter_agrees_on_any_network(peer, arch):
    if peer.extra:
        pytest.importorskip(peer.name)
    model, image = build(arch).eval(), example_input(arch)
    peers.agree(peer.name, peer.count(arch, model, image), count(arch))


def test_torchinfo_adds_gamma_and_beta_and_the_classifiers_biases():
    assert peers.norms_and_biases(mobilenet_v2()) == 34_112 + 1000


def test_a_counter_that_is_not_installed_has_no_seconds(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchinfo", None)
    arch = mobilenet_v2(0.35, 32)
    networks = [(arch, build(arch).eval(), example_input(arch))]
    assert peers.seconds(BY_NAME["torchinfo"], networks) is None
    assert len(peers.seconds(BY_NAME["torch flop_counter"], networks)) == 1


def test_a_counter_that_counts_another_network_is_an_error():
    arch, other = mobilenet_v2(0.35, 32), mobilenet_v2(0.5, 32)
    with pytest.raises(CountError, match="fvcore disagrees"):
        peers.seconds(BY_NAME["fvcore"], [(arch, build(other).eval(), example_input(arch))])
