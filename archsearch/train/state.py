"""Everything of a training that changes: what a checkpoint holds, in and out."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from archsearch.train.ema import Ema
from archsearch.train.job import EpochLog, TrainResult
from archsearch.train.optimizer import sgd
from archsearch.train.recipe import Recipe


@dataclass(kw_only=True)
class TrainState:
    """Weights, momentum, averages and history; random numbers need none of it, they follow from (seed, epoch)."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    ema: Ema | None
    history: list[EpochLog] = field(default_factory=list)
    images: int = 0  # evaluated after the last epoch

    @classmethod
    def start(cls, model: nn.Module, recipe: Recipe) -> "TrainState":
        """The state before the first step of a model that is already on its device."""
        return cls(model=model, optimizer=sgd(model, recipe), ema=Ema(model, recipe.ema) if recipe.ema else None)

    @property
    def judged(self) -> nn.Module:
        """The model that is evaluated: the average where there is one."""
        return self.ema.model if self.ema else self.model

    @property
    def seconds(self) -> float:
        """Spent on the epochs of the history."""
        return sum(log.seconds for log in self.history)

    def capture(self, tag: dict[str, Any]) -> dict[str, Any]:
        """Tensors and plain values for a checkpoint."""
        return {
            "tag": tag,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": self.ema.model.state_dict() if self.ema else None,
            "history": [asdict(log) for log in self.history],
            "images": self.images,
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Goes back to a captured state."""
        self.model.load_state_dict(kept["model"])
        self.optimizer.load_state_dict(kept["optimizer"])
        if self.ema:
            self.ema.model.load_state_dict(kept["ema"])
        self.history = [EpochLog(**log) for log in kept["history"]]
        self.images = kept["images"]

    def result(self, resumed_from: int) -> TrainResult:
        """The figures after the last epoch."""
        last = self.history[-1]
        assert last.top1 is not None
        assert last.top5 is not None
        return TrainResult(
            top1=last.top1,
            top5=last.top5,
            images=self.images,
            epochs=last.epoch,
            seconds=self.seconds,
            train_loss=last.train_loss,
            history=tuple(self.history),
            resumed_from=resumed_from,
        )
