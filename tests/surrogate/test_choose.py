"""Which network is trained next: new ones that fit, the same ones whatever was forgotten, until none is left."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsearch.cost.budget import Budget, Limit
from archsearch.evaluate.table import Table
from archsearch.evaluate.table_domain import TableDomain
from archsearch.evaluate.table_merge import merged
from archsearch.spec.fields import Axis
from archsearch.spec.space_file import parse_space, read_space
from archsearch.surrogate.belief import MOST
from archsearch.surrogate.choose import BEFORE, EVERY, LOOKS, SELDOM, Chooser, Seen
from archsearch.surrogate.domain import Networks, joined, spelled
from archsearch.surrogate.gp import ROOM
from archsearch.surrogate.pool import base
from archsearch.surrogate.space_domain import SpaceDomain
from tests.strategies import plain_tables

LARGE = SpaceDomain(space=read_space("mobilenet_v2_small"), budget=Budget(limits={"madds": Limit(high=40e6)}))
OBJECTIVES = [(), ("madds",), ("ms", "madds")]


@dataclass
class Search:
    """A search by a chooser alone: what it proposes runs for a while, then it is judged, or fails; results come in
    any order and stand in that of their proposals, as in a study."""

    domain: TableDomain | SpaceDomain
    truth: dict[bytes, float]
    rungs: tuple[float, ...] = ()
    forgets: bool = False
    keeps: tuple[str, ...] = ()  # what is not forgotten all the same
    waits: int = 0  # how many networks are under way at a time
    fails: frozenset[int] = frozenset()  # proposals that fail
    repeats: bool = False
    error: float = 0.0
    results: list[tuple[int, Networks]] = field(default_factory=list)
    pending: list[tuple[int, Networks]] = field(default_factory=list)
    failed: set[bytes] = field(default_factory=set)
    memory: dict = field(default_factory=dict)
    gains: list[float] = field(default_factory=list)
    fit = None
    asked: int = 0

    def begin(self, networks: Networks) -> "Search":
        self.results += [(-1, networks.take([row])) for row in range(len(networks))]
        return self

    @property
    def judged(self) -> list[Networks]:
        return [network for _, network in sorted(self.results, key=lambda result: result[0])]

    def seen(self) -> Seen:
        none = self.domain.look(np.zeros((0, len(self.domain.axes)), dtype=np.int64))
        judged = joined([none, *self.judged])
        pending = joined([none, *(network for _, network in self.pending)])
        top1 = np.array([self.truth[name] for name in judged])
        return Seen(judged=judged, top1=top1, error=np.full(len(judged), self.error), pending=pending,
                    left={*judged, *pending, *self.failed}, rungs=self.rungs, repeats=self.repeats)  # fmt: skip

    def step(self) -> Networks | None:
        """One proposal; one of those under way ends."""
        if self.forgets:
            self.memory = {name: self.memory[name] for name in self.keeps}
        memory = self.memory
        pick = Chooser(self.domain, 7, memory).pick(self.seen(), self.fit)
        if pick is None:
            return None
        assert np.isfinite(pick.gain)
        assert pick.gain >= 0
        self.gains.append(pick.gain)
        self.fit = pick.fit or self.fit
        network = self.domain.look(pick.code[None])
        self.pending.append((self.asked, network))
        self.asked += 1
        if len(self.pending) > self.waits:
            number, ended = self.pending.pop(self.asked % 3 % len(self.pending))
            if number in self.fails:
                self.failed.update(ended)
            else:
                self.results.append((number, ended))
        return network

    def run(self, steps: int = 1000) -> list[bytes]:
        """Names of up to so many proposals."""
        found = []
        while len(found) < steps and (network := self.step()) is not None:
            found += list(network)
        return found


@st.composite
def searches(draw):
    """A made-up table under a budget, begun with two networks or more, some of which may be over it."""
    table = draw(plain_tables().filter(lambda table: len(table) > 2))
    limit = float(np.quantile(table.costs["madds"], draw(st.sampled_from([0.5, 0.8, 1.0]))))
    budget = Budget(limits={"madds": Limit(high=limit)})
    domain = TableDomain(table=table, budget=budget, minimize=draw(st.sampled_from(OBJECTIVES)))
    kind = draw(st.sampled_from(["table", "equal", "none and all"]))
    values = {"table": table.mean, "equal": np.full(len(table), 0.6), "none and all": np.arange(len(table)) % 2}[kind]
    told = dict(zip(domain.look(table.codes), map(float, values), strict=True))
    rows = draw(st.lists(st.integers(0, len(table) - 1), min_size=2, max_size=4, unique=True))
    options = {
        "waits": draw(st.integers(0, 3)), "fails": frozenset(draw(st.sets(st.integers(0, 10), max_size=3))),
        "error": draw(st.sampled_from([0.0, 0.01])),
    }  # fmt: skip
    if domain.minimize and draw(st.booleans()):
        costs = table.costs[domain.minimize[0]]
        options["rungs"] = tuple(np.unique(np.quantile(costs, [0.3, 0.7, 1.0])).tolist())
    return domain, told, domain.look(table.codes[np.array(rows)]), options


@settings(max_examples=25)
@given(searches())
def test_it_proposes_every_network_that_fits_once_and_then_none(told):
    domain, truth, begun, options = told
    search = Search(domain, truth, **options).begin(begun)
    names = search.run()
    assert len(set(names)) == len(names)
    assert set(names) == set(domain.everything()) - set(begun)


@settings(max_examples=15)
@given(searches())
def test_what_is_forgotten_at_every_step_changes_no_proposal_and_no_gain(told):
    domain, truth, begun, options = told
    kept = Search(domain, truth, **options).begin(begun)
    lost = Search(domain, truth, forgets=True, **options).begin(begun)
    assert kept.run(12) == lost.run(12)
    assert kept.gains == pytest.approx(lost.gains)


def begun_large(**options) -> Search:
    """A search of a large domain after nine results; accuracy rises with cost and with the first choices."""
    some = LARGE.draw(9, np.random.default_rng(0))

    class Rising(dict):
        def __missing__(self, name):
            network = known[name]
            return 0.3 + 0.02 * network.traits[0, 0] + 0.01 * (network.codes[0] == 1).mean()

    known = {}
    search = Search(LARGE, Rising(), **options)
    look = search.seen

    def seen():
        for network in [*search.judged, *(network for _, network in search.pending)]:
            known.update(dict.fromkeys(network, network))
        return look()

    search.seen = seen
    return search.begin(some)


@pytest.fixture(scope="module")
def drawn():
    """What is drawn once from the large domain; a function of the seed alone (test_pool.py), and slow to make."""
    return base(LARGE, 7, {})


@pytest.mark.parametrize("waits", [0, 3])
def test_in_a_large_domain_proposals_fit_are_new_and_do_not_depend_on_memory(waits, drawn):
    kept, lost = (begun_large(waits=waits, forgets=forgets, keeps=("base",), memory={"base": drawn})
                  for forgets in (False, True))  # fmt: skip
    strays = LARGE.draw(2, np.random.default_rng(5))
    names = kept.run(3)
    assert names == lost.run(3)
    for search in (kept, lost):  # somebody else's networks, which are among no candidates
        search.results.append((1, strays.take([0])))
        search.pending.append((2, strays.take([1])))
    names += kept.run(EVERY)
    assert names[3:] == lost.run(EVERY)
    assert len(set(names)) == len(names) == EVERY + 3
    assert not set(names) & set(strays)
    assert not set(names) & set(joined(kept.judged[:9]))
    assert LARGE.fits(joined([network for _, network in kept.pending] + kept.judged).codes).all()


def made(costs, top1):
    """A table of one axis."""
    axis = Axis("a", tuple(f"w{number}" for number in range(len(top1))))
    codes = np.arange(len(top1))[:, None]
    return merged(Table(name="made", axes=(axis,), codes=codes, top1=np.array(top1)[:, None], costs=costs))


@settings(max_examples=15)
@given(st.integers(0, 1000), st.lists(st.integers(0, 2), min_size=6, max_size=12))
def test_on_a_ladder_costs_within_a_rung_do_not_count(seed, rungs):
    rng, rungs = np.random.default_rng(seed), np.array(rungs)
    rungs[:3] = [0, 1, 2]
    n = len(rungs)
    traits, top1 = rng.uniform(1e6, 1e8, n), rng.uniform(0.3, 0.9, n)
    orders = []
    for _ in range(2):  # other costs, in the same rungs
        ms = rungs + np.where(rng.random(n) < 0.5, 1.0, rng.uniform(0.01, 1, n))  # at a rung's end it is within
        domain = TableDomain(table=made({"madds": traits, "ms": ms}, top1), minimize=("ms",))
        truth = dict(zip(domain.look(domain.table.codes), domain.table.mean, strict=True))
        first = domain.look(domain.table.codes[:2])
        orders.append(Search(domain, truth, rungs=(1.0, 2.0, 3.0)).begin(first).run())
    assert orders[0] == orders[1]


@pytest.mark.parametrize("minimize", OBJECTIVES)
def test_two_networks_are_enough_for_a_domain(minimize):
    table = made({"madds": np.array([1e6, 2e6, 3e6]), "ms": np.array([1.0, 3.0, 2.0])}, [0.5, 0.6, 0.7])
    whole = TableDomain(table=table, minimize=minimize)
    truth = dict(zip(whole.look(table.codes), table.mean, strict=True))
    two = TableDomain(table=table, minimize=minimize, budget=Budget(limits={"madds": Limit(high=2.5e6)}))
    fitting, over = two.look(table.codes[:2]), two.look(table.codes[2:])
    assert Search(two, truth).begin(fitting).run() == []
    assert Search(two, truth).begin(joined([fitting.take([0]), over])).run() == list(fitting.take([1]))
    assert Search(two, truth).begin(joined([over, over])).run(2) != []  # nothing that was judged fits any more


def test_a_result_over_budget_holds_no_place_on_the_front():
    top1 = np.array([0.99, *np.linspace(0.3, 0.7, 20)])
    costs = {"ms": np.array([0.5, *range(1, 21)]), "madds": np.array([1e9, *np.linspace(1e6, 1e7, 20)])}
    table = made(costs, top1)
    domain = TableDomain(table=table, minimize=("ms",), budget=Budget(limits={"madds": Limit(high=1e8)}))
    truth = dict(zip(domain.look(table.codes), table.mean, strict=True))
    begun = domain.look(table.codes[[0, 1, 5, 9]])
    assert domain.fits(begun.codes).tolist() == [False, True, True, True]
    search = Search(domain, truth).begin(begun)
    search.step()
    assert search.gains[0] > 1e-3  # nothing could be gained where the best of all stood at the cheapest place


def test_a_cost_in_which_networks_do_not_differ_changes_nothing():
    rng = np.random.default_rng(0)
    top1 = rng.uniform(0.3, 0.9, 20)
    costs = {"madds": rng.uniform(1e6, 1e8, 20), "same": np.full(20, 4.0)}
    found = []
    for minimize in (("madds",), ("madds", "same"), ("same", "madds")):
        domain = TableDomain(table=made(costs, top1), minimize=minimize)
        truth = dict(zip(domain.look(domain.table.codes), domain.table.mean, strict=True))
        search = Search(domain, truth).begin(domain.look(domain.table.codes[:3]))
        found.append((search.run(), search.gains))
    for names, gains in found[1:]:
        assert names == found[0][0]
        assert gains == pytest.approx(found[0][1])


ROUNDED = {
    "about": "widths 1, 3 and 8 times a quarter are all eight channels", "resolution": 8, "classes": 2,
    "width": [0.25, 1.0], "stem": {"width": 8}, "head": {"width": 0},
    "stage": [{"width": [1, 3, 8, 24], "kernel": [3, 5], "repeats": [1, 2]}, {"width": [8, 16, 1]}],
}  # fmt: skip


def test_another_spelling_of_a_trained_network_is_the_same_result_and_never_proposed():
    domain = SpaceDomain(space=parse_space(ROUNDED, name="rounded"), budget=Budget())
    every = np.concatenate(list(domain.space.enumerate()))
    spellings = domain.look(every)
    plain = domain.everything()
    rng = np.random.default_rng(0)
    truth = dict(zip(plain, rng.uniform(0.3, 0.9, len(plain)), strict=True))
    other = {name: spellings.take([row]) for row, name in enumerate(spellings)}  # the last spelling of each
    begun = plain.take(np.arange(0, len(plain), 6))
    turned = joined([other[name] for name in begun])
    assert (turned.slots != begun.slots).any()
    one, two = Search(domain, truth).begin(begun), Search(domain, truth).begin(turned)
    assert one.run(15) == two.run(15)
    assert one.gains == pytest.approx(two.gains)
    names = Search(domain, truth).begin(turned).run()
    assert set(names) == set(plain) - set(turned)
    assert len(set(names)) == len(names)


def test_second_trainings_are_of_trained_networks_that_fit_and_not_too_many():
    rng = np.random.default_rng(1)
    top1 = 0.6 + 0.05 * rng.standard_normal(60)
    table = made({"madds": rng.uniform(1e6, 1e8, 60), "ms": np.ones(60)}, top1)
    domain = TableDomain(table=table, minimize=("madds",))
    truth = dict(zip(domain.look(table.codes), table.mean, strict=True))
    once = Search(domain, truth, error=0.05).begin(domain.look(table.codes[:3]))
    assert len(set(once.run(50))) == 50
    search = Search(domain, truth, error=0.05, repeats=True, waits=2).begin(domain.look(table.codes[:3]))
    again = 0
    for number in range(50):
        trained, running = list(joined(search.judged)), {name for _, each in search.pending for name in each}
        name = next(iter(search.step()))
        if name in trained:
            again += 1
            assert number + 3 >= BEFORE
            assert trained.count(name) < LOOKS
            assert name not in running
    assert again > 0


def test_nothing_is_measured_again_where_nothing_that_was_measured_fits():
    rng = np.random.default_rng(2)
    table = made({"madds": np.arange(1.0, 61), "ms": np.ones(60)}, rng.uniform(0.4, 0.8, 60))
    domain = TableDomain(table=table, minimize=("madds",), budget=Budget(limits={"madds": Limit(high=20)}))
    truth = dict(zip(domain.look(table.codes), table.mean, strict=True))
    search = Search(domain, truth, error=0.02, repeats=True).begin(domain.look(table.codes[20:]))
    assert domain.fits(search.step().codes).all()


def test_a_spelling_is_that_of_the_first_like_it():
    domain = SpaceDomain(space=parse_space(ROUNDED, name="rounded"), budget=Budget())
    every = domain.look(np.concatenate(list(domain.space.enumerate())))
    plain = domain.everything()
    same = spelled(every, plain)
    assert list(same) == list(every)
    assert {row.tobytes() for row in same.codes} == {row.tobytes() for row in plain.codes}
    alone = spelled(every, plain.take([]))
    assert list(alone) == list(every)
    assert alone.once().codes.tolist() == every.once().codes.tolist()


def test_the_memory_to_work_in_does_not_grow_with_the_trials():
    size, rng = 900, np.random.default_rng(0)
    domain = TableDomain(
        table=made({"madds": np.arange(1.0, size + 1)}, rng.uniform(0.5, 0.9, size)), minimize=("madds",)
    )
    every = domain.look(np.arange(size)[:, None])
    truth = dict(zip(every, rng.uniform(0.5, 0.9, size), strict=True))
    search = Search(domain, truth, waits=4).begin(every.take(np.arange(600)))
    rooms = set()
    for _ in range(2 * SELDOM):
        search.step()
        rooms.add((id(search.memory["room"]), search.memory["state"].posterior._room.shape))
    assert rooms == {(id(search.memory["room"]), (MOST + ROOM, size))}
