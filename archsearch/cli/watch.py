"""How a run looks while it goes: bars and the front so far on a terminal, one line a trial elsewhere."""

import time
from typing import Any

from optuna.trial import FrozenTrial
from rich.console import Console, Group
from rich.live import Live

from archsearch.cli.bars import bars
from archsearch.cli.show import percent, table
from archsearch.cost.budget import show
from archsearch.records import GAIN, STOPPED, WAITING
from archsearch.search.flat import gain
from archsearch.search.flat import percent as share
from archsearch.search.propose import Problem
from archsearch.search.so_far import SoFar
from archsearch.search.tally import Tally
from archsearch.spec.arch import Arch

SHOWN = 12  # rows of the front while the run goes on


class ConsoleWatch:
    """Draws a run; give it to `Run.search` and `Run.finish` inside its own `with` block."""

    def __init__(self, log: Console, *, trials: int, problem: Problem, since: int = 0) -> None:
        self._log, self._problem, self._since = log, problem, since
        self._metrics = tuple(dict.fromkeys([*problem.minimize, *problem.budget.limits])) or ("madds",)
        self._ended = "trained" if problem.rule is None else "trained or stopped"  # what is counted
        self._tally, self._so_far = Tally(), SoFar(problem)
        self._bars = bars(log)
        self._search = self._bars.add_task("search", total=trials, text="")
        self._now = self._bars.add_task("", total=None, text="", visible=False)
        self._front: Any = ""
        self._live = Live(self, console=log, refresh_per_second=4, transient=True) if log.is_terminal else None
        self._began = time.monotonic()

    def __enter__(self) -> "ConsoleWatch":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def __rich__(self) -> Group:
        return Group(self._front, self._bars)

    def resumed(self, trials: list[FrozenTrial]) -> None:
        """Show what an earlier call has done."""
        self._count(trials)
        self._draw_front(trials)

    def trial_began(self, number: int, arch: Arch) -> None:
        title = f"trial {number}: {len(arch.stages)} stages at {arch.resolution} px"
        self._bars.update(self._now, description=title, completed=0, total=None, text="", visible=True)

    def progress(self, done: int, total: int, text: str) -> None:
        self._bars.update(self._now, completed=done, total=total, text=text)

    def trial_ended(self, trials: list[FrozenTrial], number: int) -> None:
        self._count(trials)
        self._draw_front(trials)
        if not self._live:
            self._line(trials[number])

    def final_began(self, number: int, nth: int, of: int) -> None:
        self._bars.update(self._search, description="test of the front", completed=nth - 1, total=of)
        self._bars.update(self._now, description=f"full training of trial {number}", completed=0, total=None, text="")
        self._bars.update(self._now, visible=True)

    def final_ended(self, number: int, result: dict[str, Any]) -> None:
        self._bars.advance(self._search)
        if not self._live:
            told = result.get("failed") or percent(result["top1_test"], result["top1_test_se"])
            self._say(f"trial {number} trained in full: test top-1 {told}")

    def others(self, number: int, text: str) -> None:
        """Tell what another worker of the same command says."""
        if not self._live:
            self._say(f"worker {number}: {text}")
        elif text.startswith("trial "):
            self._bars.advance(self._search)  # until `trial_ended` counts anew
        else:
            self._log.print(f"worker {number} {text}", markup=False, soft_wrap=True, style="yellow")

    def waiting(self, text: str) -> None:
        self._bars.update(self._now, description=text, total=None, text="", visible=True)

    def _count(self, trials: list[FrozenTrial]) -> None:
        """How many are trained, and what the next one is expected to add."""
        expected = gain(trials, since=self._since)
        text = "" if expected is None else f"next: +{share(expected)} hypervolume expected"
        self._bars.update(self._search, completed=self._tally.look(trials).ended, text=text)

    def _draw_front(self, trials: list[FrozenTrial]) -> None:
        rows = [
            [str(t.number), *(show(t.user_attrs["costs"][name], name) for name in self._metrics),
             percent(t.user_attrs["top1"], t.user_attrs["top1_se"]), t.user_attrs["arch"]]
            for t in self._so_far.look(trials)[-SHOWN:]
        ]  # fmt: skip
        what = "best of each rung so far" if self._problem.ladder else "front so far"
        names = ["trial", *self._metrics, "validation", what]
        self._front = table(names, rows, left=(len(names) - 1,), cut_last=True)

    def _line(self, trial: FrozenTrial) -> None:
        attrs = trial.user_attrs
        costs = ", ".join(f"{name} {show(attrs['costs'][name], name)}" for name in self._metrics)
        result = attrs.get("reason") or _reached(trial)
        place = ""
        if trial.number in [t.number for t in self._so_far.members]:
            place = "  best within a rung" if self._problem.ladder else "  on the front"
        told = f"; expected to add {share(trial.system_attrs[GAIN])}" if GAIN in trial.system_attrs else ""
        self._say(f"trial {trial.number}: {costs}: {result}{place}  ({self._tally.ended} {self._ended}{told})")

    def _say(self, text: str) -> None:
        self._log.print(f"[{time.monotonic() - self._began:5.0f} s] {text}", markup=False, soft_wrap=True)


def _reached(trial: FrozenTrial) -> str:
    """What a trial was measured to reach, and where it halted."""
    attrs = trial.user_attrs
    if attrs.get("status") not in (WAITING, STOPPED):
        return percent(attrs["top1"], attrs["top1_se"])
    epochs = max(trial.intermediate_values)
    words = "waits" if attrs["status"] == WAITING else "stopped"
    return f"{percent(trial.intermediate_values[epochs], attrs['rung_se'])}, {words} after {epochs} epoch(s)"
