"""How an ablation looks while it goes: a bar on a terminal, one line a training elsewhere."""

import time
from typing import TYPE_CHECKING, Any

from archsearch.cli.bars import bars

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from archsearch.ablate.campaign import Campaign
    from archsearch.spec.arch import Arch


class TrainingWatch:
    """Draws a campaign; give it to `Campaign.carry_out` inside its own `with` block."""

    def __init__(self, log: Any, campaign: "Campaign") -> None:
        self._log, self._campaign = log, campaign
        self._bars = bars(log)
        self._all = self._bars.add_task("trainings", total=campaign.trainings, text="")
        self._now = self._bars.add_task("", total=None, text="", visible=False)
        self._began = time.monotonic()

    def __enter__(self) -> "TrainingWatch":
        self._bars.start()
        self._count(self._campaign.ledger.trials())
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def trial_began(self, number: int, arch: "Arch") -> None:
        self._bars.update(self._now, description=self._title(number), completed=0, total=None, text="", visible=True)

    def progress(self, done: int, total: int, text: str) -> None:
        self._bars.update(self._now, completed=done, total=total, text=text)

    def trial_ended(self, trials: "list[FrozenTrial]", number: int) -> None:
        done = self._count(trials)
        attrs = trials[number].user_attrs
        result = attrs.get("reason") or f"{100 * attrs['top1']:.1f} %"
        if not self._log.is_terminal:
            self._say(f"trial {number}: {self._title(number)}: {result}  ({done} of {self._campaign.trainings})")

    def final_began(self, number: int, nth: int, of: int) -> None:
        """An ablation has no finals."""

    def final_ended(self, number: int, result: dict[str, Any]) -> None:
        """An ablation has no finals."""

    def waiting(self, text: str) -> None:
        self._bars.update(self._now, description=text, total=None, text="", visible=True)

    def others(self, number: int, text: str) -> None:
        """Tell what another worker of the same command says."""
        if not self._log.is_terminal:
            self._say(f"worker {number}: {text}")
        elif text.startswith("trial "):
            self._bars.advance(self._all)
        else:
            self._log.print(f"worker {number} {text}", markup=False, soft_wrap=True, style="yellow")

    def _title(self, number: int) -> str:
        from archsearch.ablate.campaign import task_of

        task, design = task_of(self._campaign.ledger.trials()[number].user_attrs), self._campaign.design
        return f"pair {task.pair}, {design.label(design.treatments[task.treatment])}, seed {task.place}"

    def _count(self, trials: "list[FrozenTrial]") -> int:
        done = sum(trial.state.is_finished() for trial in trials)
        self._bars.update(self._all, completed=done)
        return done

    def _say(self, text: str) -> None:
        self._log.print(f"[{time.monotonic() - self._began:5.0f} s] {text}", markup=False, soft_wrap=True)
