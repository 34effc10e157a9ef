"""Which network to train next: the surrogate, the candidates and the rule that picks.

A state is made at every refit: kernel, candidates, posterior. Between refits observations are added to it. It is a
function of the trials up to the refit and of the kernel that was found there, which the caller keeps with the trial;
so a search that was killed is in the same state again.
"""

from collections import Counter
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsearch.pareto import front
from archsearch.surrogate.acquire import Stairs, base_of, beyond, gain, learned, second_look, stairs, volume_of
from archsearch.surrogate.belief import MOST, active, expected_noise, standardised, target
from archsearch.surrogate.domain import Domain, Floats, Networks, joined, spelled
from archsearch.surrogate.features import Encoder, Rows, encoder
from archsearch.surrogate.gp import ROOM, Kernel, Posterior, fitted, prior
from archsearch.surrogate.pool import base, promising

CAUTION = 0.3  # share of the standard deviation that counts when networks of a front are compared (docs/sampler.md)
ALONE = 1.0  # the same where accuracy is all that counts: nothing but its own doubt makes such a search look around
FIRST_STEPS, STEPS = 40, 12  # of the fit: from the priors, from the last kernel
FIT_MOST = 200  # trials to which the kernel is fitted
LOOKS = 3  # trainings of one network at most
BEFORE = 30  # trainings before any network is trained again
FLAT = 1e-4  # share of the hypervolume; a candidate of a large domain that is expected to add less is no good choice
LITTLE = 0.01  # of the target, by which a front rises at least for shares: where all accuracies are equal it has no
# height, and any gain would be endless
BOLD = 2.0  # share of the standard deviation that counts then: the surrogate is too sure of itself
TINY = 1e-12  # expected gains below it are none
EVERY, SELDOM = 5, 24  # new results between refits: a twentieth of the trials, but not less and not more than these


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known when a network is chosen."""

    judged: Networks
    top1: Floats
    error: Floats  # standard errors of top1, 0 where unknown
    pending: Networks
    left: set[bytes]  # names of networks that must not be proposed
    rungs: tuple[float, ...] = ()  # of a budget ladder on the first cost, ascending
    repeats: bool = False  # whether a network may be trained again, where that would change the front


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A refit: after how many results, and the kernel found; kept with the trial that it was made for."""

    at: int
    logs: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The network to train next."""

    code: NDArray[np.int64]
    gain: float  # expected, as a share of the hypervolume so far
    fit: Fit | None  # where the kernel was fitted anew
    again: bool = False  # a network that was trained before: its accuracy is to be measured once more


@dataclass(kw_only=True)
class State:
    """The surrogate between two refits."""

    made_of: tuple[Any, ...]
    kernel: Kernel
    posterior: Posterior
    networks: Networks  # candidates, then trials: what the posterior is about
    encoded: Rows
    rows: dict[bytes, int]  # place of each of them
    candidates: int  # how many of `networks` are candidates; they come first
    centre: float
    spread: float
    held: list[int]  # rows of the trials that the posterior knows
    added: list[tuple[bytes, float]]  # names and results of the trials added since the refit, in order


class Chooser:
    """Chooses from a domain; `memory` may be lost at any time and only saves work."""

    def __init__(self, domain: Domain, seed: int, memory: dict[str, Any]) -> None:
        self._domain, self._seed, self._memory = domain, seed, memory
        self._base, self._whole = base(domain, seed, memory)
        if "encoder" not in memory:
            memory["encoder"] = encoder(domain.axes, self._base)
        self._encoder: Encoder = memory["encoder"]
        self._caution = CAUTION if domain.minimize else ALONE

    def pick(self, seen: Seen, last: Fit | None) -> Pick | None:
        """The next network; None where no candidate is left.

        seen   at least two results
        last   the newest refit, as an earlier `Pick` told it
        """
        fit = self._refit(seen, last)
        state = self._state(seen, fit)
        posterior = state.posterior
        if len(seen.pending):
            posterior = copy(posterior)
            for name in seen.pending:
                posterior.add(state.encoded.take(np.array([state.rows[name]])), None)
        return self._best(state, posterior, seen, fit if fit is not last else None)

    # the surrogate ----------------------------------------------------------------------------------------------

    def _refit(self, seen: Seen, last: Fit | None) -> Fit:
        """The last refit, or a new one where enough results have come in since."""
        n = len(seen.judged)
        if last is not None and last.at <= n and n - last.at < min(max(EVERY, n // 20), SELDOM):
            return last
        self._forget()
        chosen = active(seen.top1, seen.judged, FIT_MOST)
        some = spelled(seen.judged.take(chosen), self._base)
        targets, _, spread = standardised(target(seen.top1[chosen]))
        start = prior(self._encoder.axis_of, self._encoder.axes, some.traits.shape[1])
        if last is not None and len(last.logs) == len(start.logs):
            start = replace(start, logs=np.array(last.logs))
        noise = expected_noise(seen.top1[chosen], seen.error[chosen], spread)
        steps = FIRST_STEPS if last is None else STEPS
        kernel = fitted(start, self._encoder.rows(some), targets, steps=steps, noise=noise)
        return Fit(at=n, logs=tuple(float(log) for log in kernel.logs))

    def _forget(self) -> None:
        """Let go of the state before the next one takes memory, too."""
        self._memory.pop("state", None)

    def _state(self, seen: Seen, fit: Fit) -> State:
        """The state at the last refit with all later results added; kept where nothing else has changed."""
        results = list(zip(seen.judged, seen.top1.tolist(), strict=True))  # what waits at a rung may change
        made_of = (fit, tuple(results[: fit.at]))
        state: State | None = self._memory.get("state")
        later = results[fit.at :]
        around = {*(name for name, _ in later), *seen.pending}
        if (
            state is None
            or state.made_of != made_of
            or state.added != later[: len(state.added)]
            or not around <= state.rows.keys()
        ):
            state = None
            self._forget()
            state = self._memory["state"] = self._made(seen, fit, made_of)
        for name, top1 in later[len(state.added) :]:
            value = (float(target(np.array([top1]))[0]) - state.centre) / state.spread
            state.posterior.add(state.encoded.take(np.array([state.rows[name]])), value)
            state.held.append(state.rows[name])
            state.added.append((name, top1))
        return state

    def _made(self, seen: Seen, fit: Fit, made_of: tuple[Any, ...]) -> State:
        """The state right after a refit."""
        first = np.arange(fit.at)
        chosen = first[active(seen.top1[first], seen.judged.take(first), MOST)]
        known = spelled(seen.judged.take(chosen), self._base)
        targets, centre, spread = standardised(target(seen.top1[chosen]))
        traits = known.traits.shape[1]
        kernel = replace(prior(self._encoder.axis_of, self._encoder.axes, traits), logs=np.array(fit.logs))
        candidates = self._candidates(seen, kernel, known, targets, fit.at)
        later = seen.judged.take(np.arange(fit.at, len(seen.judged)))
        networks = joined([candidates, known, later, seen.pending]).once()
        rows = {name: row for row, name in enumerate(networks)}
        encoded = self._encoder.rows(networks)
        room = self._room(len(networks))
        posterior = Posterior(kernel, self._encoder.rows(spelled(known, networks)), targets, encoded, room)
        return State(made_of=made_of, kernel=kernel, posterior=posterior, networks=networks, encoded=encoded, rows=rows,
                     candidates=len(candidates), centre=centre, spread=spread,
                     held=[rows[name] for name in known], added=[])  # fmt: skip

    def _room(self, width: int) -> Floats:
        """Memory for a posterior of that many networks: one piece for all, so that a long run needs no more."""
        room: Floats | None = self._memory.get("room")
        if room is None or room.shape[1] < width:
            room = self._memory["room"] = np.ones((MOST + ROOM, width))  # ones: taken at once, not page by page
        return room

    def _candidates(self, seen: Seen, kernel: Kernel, known: Networks, targets: Floats, at: int) -> Networks:
        """All networks of a small domain; of a large one those that promise most."""
        if self._whole:
            return self._base
        rows = self._encoder.rows(known)
        own = Posterior(kernel, rows, targets, rows).mean
        fits = self._domain.fits(known.codes)
        under, costs = self._stairs(own[fits], known.take(fits), seen.rungs)
        best = known.take(fits).take(front(np.concatenate([-own[fits, None], costs], axis=1)))

        def score(networks: Networks) -> Floats:
            there = Posterior(kernel, rows, targets, self._encoder.rows(networks))
            return gain(there.mean, self._caution * there.sd, self._costs(networks, seen.rungs), under)

        rng = np.random.default_rng(np.random.SeedSequence([self._seed, at, 3]))
        return promising(self._domain, self._base, best, score, rng)

    # the choice -------------------------------------------------------------------------------------------------

    def _costs(self, networks: Networks, rungs: tuple[float, ...]) -> Floats:
        """Costs as the front sees them; on a ladder the first one is the number of the lowest rung that holds it."""
        if not rungs:
            return networks.costs
        steps = np.searchsorted(np.array(rungs), networks.costs[:, :1], side="left").astype(float)
        return np.concatenate([steps, networks.costs[:, 1:]], axis=1)

    def _stairs(self, means: Floats, held: Networks, rungs: tuple[float, ...]) -> tuple[Stairs, Floats]:
        """The staircase of trials with these posterior means, and their costs on it."""
        costs = self._costs(held, rungs)
        least = self._costs(self._base, rungs)
        reference = beyond(least.min(axis=0), np.maximum(least.max(axis=0), costs.max(axis=0, initial=-np.inf)))
        if rungs:
            reference[0] = len(rungs)
        floor = float(means.min(initial=np.inf)) if len(means) else 0.0
        on = front(np.concatenate([-means[:, None], costs], axis=1))
        return stairs(means[on], costs[on], floor, reference), costs

    def _best(self, state: State, posterior: Posterior, seen: Seen, fit: Fit | None) -> Pick | None:
        """The candidate with the highest expected gain."""
        free = np.zeros(len(state.networks), dtype=bool)
        free[: state.candidates] = True
        free[[state.rows[name] for name in {*seen.left, *seen.judged, *seen.pending} if name in state.rows]] = False
        rows = np.flatnonzero(free)
        if not len(rows):
            return None
        had = np.array([*dict.fromkeys(state.held), *(state.rows[name] for name in seen.pending)], dtype=np.int64)
        had = had[self._domain.fits(state.networks.codes[had])]
        held = state.networks.take(had)
        under, costs = self._stairs(posterior.mean[had], held, seen.rungs)
        mean, sd = posterior.mean[rows], posterior.sd[rows]
        where = self._costs(state.networks.take(rows), seen.rungs)
        least = np.minimum(where.min(axis=0, initial=np.inf), costs.min(axis=0, initial=np.inf))
        floor = None if len(least) else float(posterior.mean[had].min(initial=np.inf))  # without costs: one step
        so_far = max(volume_of(under, least, floor), LITTLE / state.spread * base_of(under, least))

        def share(row: int) -> float:
            more = gain(mean[[row]], sd[[row]], where[[row]], under)[0]
            return float(more / so_far) if so_far > 0 else 1.0

        row = _highest(mean, sd, where, under, self._caution)
        if not self._whole and share(row) < FLAT:
            row = _highest(mean, sd, where, under, BOLD)
        if seen.repeats:
            noise = state.kernel.noise
            worth = gain(mean[[row]], learned(sd[[row]], noise), where[[row]], under)[0]
            second = self._again(state, posterior, seen, had, above=float(worth))
            if second is not None:
                return Pick(code=state.networks.codes[second], gain=share(row), fit=fit, again=True)
        return Pick(code=state.networks.codes[rows[row]], gain=share(row), fit=fit)

    def _again(
        self, state: State, posterior: Posterior, seen: Seen, had: NDArray[np.int64], *, above: float
    ) -> int | None:
        """The row of a trained network whose second measurement is worth more than `above`; None where none is.

        had   rows of the networks that make up the front, those under way among them
        """
        looks = Counter(seen.judged)
        if sum(looks.values()) < BEFORE or not len(had):
            return None
        often = np.array([looks[state.networks.names[row].tobytes()] for row in had])
        open_rows = [state.rows[name] for name in seen.pending]
        may = (often > 0) & (often < LOOKS) & ~np.isin(had, open_rows)
        costs = self._costs(state.networks.take(had), seen.rungs)
        worth = second_look(posterior.mean[had], posterior.sd[had], costs, may, noise=state.kernel.noise)
        place = int(worth.argmax())
        return int(had[place]) if worth[place] > above else None


def _highest(mean: Floats, sd: Floats, costs: Floats, under: Stairs, caution: float) -> int:
    """The network with the highest expected gain when `caution` of its standard deviation counts; where none is
    expected to gain, the one that comes nearest to the front in standard deviations."""
    scores = gain(mean, caution * sd, costs, under)
    if scores.max() <= TINY:
        scores = gain(mean, sd, costs, under)
    if scores.max() <= 0:
        scores = (mean - under.levels(costs)) / sd
    return int(scores.argmax())
