"""The training loop: one network, one recipe, to the end of its last epoch."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from archsearch.errors import RecipeError
from archsearch.train import failure
from archsearch.train.batching import eval_batches, train_batches
from archsearch.train.forward import forward_of, shrunk, side_at
from archsearch.train.job import EpochLog, TrainData, TrainResult, TrainRun
from archsearch.train.keeper import Keeper
from archsearch.train.norms import recalibrate
from archsearch.train.optimizer import set_lr
from archsearch.train.precision import autocast, place
from archsearch.train.recipe import Recipe
from archsearch.train.schedule import lr_factor, peak_lr
from archsearch.train.score import Score, score
from archsearch.train.seed import seeded
from archsearch.train.state import TrainState
from archsearch.train.tag import check_tag, tag

__all__ = ["EpochLog", "TrainData", "TrainResult", "TrainRun", "train"]

CHECK_EVERY = 50  # steps between looks at the loss; each look waits for the device


def train(
    model: nn.Module,
    data: TrainData,
    recipe: Recipe,
    *,
    run: TrainRun,
    on_epoch: Callable[[EpochLog], None] | None = None,
) -> TrainResult:
    """Trains a model in place and evaluates it after the last epoch; it ends with the weights that were evaluated.

    With a folder every epoch ends in a checkpoint: the same call goes on from it and, on a CPU, ends with the same bits
    as an undisturbed one; after the last epoch it returns the result at once. First weights are the caller's.
    With `run.until` it halts after that epoch, on the schedule of the whole training, and with more it goes on.
    model      float32[b, 3, r, r] -> [b, classes]
    on_epoch   called after each epoch of this call, its checkpoint written
    raises     TrainingError (reason "nan", "out of memory", "time limit"); CheckpointError for a damaged or foreign
               checkpoint; DataError for fewer than 2 training images
    """
    set_dropout(model, recipe.dropout)
    keeper = Keeper(run.folder)
    mine = tag(model, data, recipe, run)
    with failure.out_of_memory_told():
        state = TrainState.start(place(model, recipe, run.device), recipe)
        kept = keeper.newest()
        if kept is not None:
            check_tag(kept.get("tag", {}), mine, run.folder)
            state.restore(kept)
        resumed_from = len(state.history)
        last = min(run.until or recipe.epochs, recipe.epochs)
        if resumed_from < last:
            worker = _Worker(state, data, recipe, run)
            for epoch in range(resumed_from, last):
                state.history.append(worker.epoch(epoch))
                keeper.write(state.capture(mine))
                if on_epoch:
                    on_epoch(state.history[-1])
        if state.ema:
            model.load_state_dict(state.ema.model.state_dict())
    return state.result(resumed_from)


def set_dropout(model: nn.Module, rate: float) -> None:
    """Sets the rate of every dropout layer, in place.

    raises   RecipeError where a rate above 0 finds no such layer
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Dropout)]
    if rate and not layers:
        raise RecipeError(f"recipe dropout is {rate} but the network has no dropout layer: set it to 0")
    for layer in layers:
        layer.p = rate


class _Worker:
    """Runs epochs on a state; holds what stays the same between them."""

    def __init__(self, state: TrainState, data: TrainData, recipe: Recipe, run: TrainRun) -> None:
        self.state, self.recipe, self.run = state, recipe, run
        self.train_batches = train_batches(data, recipe, run)
        self.eval_batches = eval_batches(data, recipe, run)
        self.steps = len(self.train_batches)  # of one epoch
        self.peak = peak_lr(recipe, min(recipe.batch, len(data.train)))
        self.forward = forward_of(state.model, recipe, run.device)
        self.spent = state.seconds

    def epoch(self, epoch: int) -> EpochLog:
        """One pass over the training images, and an evaluation where one is due."""
        began = self.run.clock()
        with seeded(self.run.seed, epoch):
            loss = self._pass(epoch, began)
        found = None
        if self._due(epoch):
            found = self._judge()
            self.state.images = found.images
        seconds = self.run.clock() - began
        self.spent += seconds
        return EpochLog(
            epoch=epoch + 1,
            epochs=self.recipe.epochs,
            train_loss=loss,
            lr=self._lr((epoch + 1) * self.steps - 1),
            seconds=seconds,
            top1=found.top1 if found else None,
            top5=found.top5 if found else None,
        )

    def _judge(self) -> Score:
        """Measures batch norm's statistics in an order of images that no epoch trains in, then counts right guesses."""
        context = autocast(self.recipe, self.run.device)
        fresh = self.train_batches.epoch(self.recipe.epochs)
        recalibrate(self.state.judged, fresh, self.recipe.norm_images, context)
        return score(self.state.judged, self.eval_batches.epoch(0), context)

    def _pass(self, epoch: int, began: float) -> float:
        """Every step of an epoch; returns the mean loss."""
        self.state.model.train()
        loss_sum = torch.zeros((), device=self.run.device)
        side = side_at(epoch, self.recipe, self.run.size)
        for index, (images, labels) in enumerate(self.train_batches.epoch(epoch)):
            failure.check_time(self.spent + self.run.clock() - began, self.run.time_limit_s, epoch + 1)
            loss_sum += self._step(epoch * self.steps + index, shrunk(images, side), labels)
            if index % CHECK_EVERY == CHECK_EVERY - 1:
                failure.check_finite(loss_sum, epoch + 1)
        failure.check_finite(loss_sum, epoch + 1)
        return loss_sum.item() / self.steps

    def _step(self, step: int, images: Tensor, labels: Tensor) -> Tensor:
        """One update of the weights; returns the loss, still on the device."""
        with autocast(self.recipe, self.run.device):
            logits = self.forward(images)
        loss = functional.cross_entropy(logits.float(), labels, label_smoothing=self.recipe.label_smoothing)
        self.state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        set_lr(self.state.optimizer, self._lr(step))
        self.state.optimizer.step()
        if self.state.ema:
            self.state.ema.update(step)
        return loss.detach()

    def _lr(self, step: int) -> float:
        return self.peak * lr_factor(step, self.steps * self.recipe.epochs, self.recipe.warmup)

    def _due(self, epoch: int) -> bool:
        every = self.run.eval_every
        return epoch + 1 in (self.recipe.epochs, self.run.until) or (every > 0 and (epoch + 1) % every == 0)
