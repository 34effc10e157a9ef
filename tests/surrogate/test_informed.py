"""A domain that knows what earlier runs say is the plain one with more traits."""

import numpy as np
import pytest

from archsearch.cost.budget import Budget, Limit
from archsearch.pareto import front
from archsearch.spec.space_file import read_space
from archsearch.surrogate.belief import learn
from archsearch.surrogate.informed import InformedDomain, favourites
from archsearch.surrogate.space_domain import SpaceDomain

PLAIN = SpaceDomain(space=read_space("nas_bench_macro"), budget=Budget(limits={"madds": Limit(high=60e6)}))


@pytest.fixture(scope="module")
def informed():
    """Two earlier runs: one that likes kernels, one that likes cost."""
    some = PLAIN.draw(40, np.random.default_rng(0))
    tops = 0.5 + 0.02 * (some.codes == 1).sum(axis=1), 0.5 + some.costs[:, 0] / 1e9
    beliefs = tuple(learn(some, PLAIN.axes, top1, np.zeros(len(some))) for top1 in tops)
    return InformedDomain(plain=PLAIN, beliefs=beliefs)


def test_it_holds_the_same_networks_with_one_more_trait_a_belief(informed):
    codes = PLAIN.everything().codes[:7]
    pairs = [
        (informed.everything(), PLAIN.everything()), (informed.look(codes), PLAIN.look(codes)),
        (informed.around(codes), PLAIN.around(codes)),
        (informed.draw(50, np.random.default_rng(1)), PLAIN.draw(50, np.random.default_rng(1))),
        (informed.look(codes[:0]), PLAIN.look(codes[:0])),
    ]  # fmt: skip
    for more, plain in pairs:
        assert list(more) == list(plain)
        assert (more.costs == plain.costs).all()
        assert (more.traits[:, :-2] == plain.traits).all()
        if len(plain):
            expected = [belief.predict(plain)[0] for belief in informed.beliefs]
            assert np.allclose(more.traits[:, -2:], np.stack(expected, axis=1))
    assert len(informed.traits) == informed.look(codes).traits.shape[1]
    assert (informed.fits(codes) == PLAIN.fits(codes)).all()
    assert (informed.axes, informed.minimize) == (PLAIN.axes, PLAIN.minimize)


@pytest.mark.parametrize("n", [1, 5, 400])
def test_favourites_are_different_and_those_of_the_first_front_come_first(informed, n):
    networks = informed.everything()
    one = InformedDomain(plain=PLAIN, beliefs=informed.beliefs[:1]).everything()
    rows = favourites(one, 1, n)
    assert len(rows) == len(set(rows)) == n
    on = front(np.stack([-one.traits[:, -1], one.costs[:, 0]], axis=1))
    assert on[rows[: int(on.sum())]].all()
    assert len(favourites(networks, 2, n)) == n
    best = one.traits[:, -1].max()
    assert one.traits[rows[0], -1] == best
