"""The training of a supernet: many networks, one set of weights, one step after the other."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from archsearch.cost.budget import Budget
from archsearch.nn.shared import SharedWeights
from archsearch.spec.fields import Codes
from archsearch.spec.space import SearchSpace
from archsearch.spec.space_digest import space_digest
from archsearch.train import failure
from archsearch.train.batching import train_batches
from archsearch.train.ema import Ema
from archsearch.train.job import TrainData, TrainRun
from archsearch.train.keeper import Keeper
from archsearch.train.optimizer import set_lr, sgd
from archsearch.train.precision import autocast, place
from archsearch.train.sandwich import Sampler
from archsearch.train.schedule import lr_factor, peak_lr
from archsearch.train.seed import seeded
from archsearch.train.supernet_recipe import SupernetRecipe
from archsearch.train.tag import check_tag, data_hash

FORMAT = 1
KEEP_S = 45.0  # seconds after which a checkpoint is written, within an epoch too
CHECK_EVERY = 20  # steps between looks at the loss
HALF = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """How far the training is."""

    step: int  # done
    steps: int  # in all
    loss: float  # mean of the epoch so far, over all networks of its steps
    seconds: float  # of the whole training, those before a resume included
    left_s: float  # expected, from the steps of this call


@dataclass(kw_only=True)
class Progress:
    """What a checkpoint holds beside tensors."""

    step: int = 0
    seconds: float = 0.0
    core_s: float = 0.0
    loss_sum: float = 0.0  # of this epoch
    losses: list[float] = field(default_factory=list)  # mean of each epoch


@dataclass(frozen=True, kw_only=True, eq=False)
class Supernet:
    """A trained supernet."""

    weights: SharedWeights
    recipe: SupernetRecipe
    seconds: float  # of its training
    core_s: float  # that its threads worked, together; on a GPU the same as `seconds`
    losses: tuple[float, ...]  # mean of each epoch


def train_supernet(
    space: SearchSpace,
    data: TrainData,
    recipe: SupernetRecipe,
    *,
    run: TrainRun,
    budget: Budget | None = None,
    on_step: Callable[[StepLog], None] | None = None,
) -> Supernet:
    """Trains the weights that all networks of a space share.

    With a folder the same call goes on from the last checkpoint, at most about a minute back, and on a CPU ends with
    the same bits as an undisturbed one; after the last step it returns at once. `run.size` is the data's resolution:
    the space's largest.
    on_step    called after each step
    raises     TrainingError (reason "nan", "out of memory"); CheckpointError for a damaged or foreign checkpoint
    """
    with seeded(run.seed), failure.out_of_memory_told():
        trainer = Trainer(SharedWeights(space, share=recipe.share), data, recipe, run, budget)
        trainer.resume()
        trainer.train(on_step)
        return Supernet(weights=trainer.judged, recipe=recipe, seconds=trainer.at.seconds,
                        core_s=trainer.at.core_s, losses=tuple(trainer.at.losses))  # fmt: skip


class Trainer:
    """The state of one training, and its steps."""

    def __init__(
        self, weights: SharedWeights, data: TrainData, recipe: SupernetRecipe, run: TrainRun, budget: Budget | None
    ) -> None:
        base = recipe.base
        self.recipe, self.run, self.at = recipe, run, Progress()
        self.weights = place(weights, base, run.device)
        self.optimizer = sgd(weights, base)
        for parameter in weights.parameters() if base.momentum else ():  # a step that leaves some weights out needs all
            self.optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        self.ema = Ema(weights, base.ema) if base.ema else None
        self.batches = train_batches(data, base, run)
        self.sampler = Sampler(weights.space, recipe, seed=run.seed, budget=budget)
        self.peak = peak_lr(base, min(base.batch, len(data.train)))
        self.keeper = Keeper(run.folder)
        limits = budget.to_dict() if budget is not None else {}
        self.tag = {"format": FORMAT, "space": space_digest(weights.space), "classes": weights.space.head.classes,
                    "data": data_hash(data), "seed": run.seed, "size": run.size, "budget": repr(limits),
                    **{f"recipe.{name}": value for name, value in recipe.to_dict().items()}}  # fmt: skip

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return len(self.batches) * self.recipe.base.epochs

    @property
    def judged(self) -> SharedWeights:
        """The weights that are used: the average where there is one."""
        model = self.ema.model if self.ema else self.weights
        assert isinstance(model, SharedWeights)
        return model

    def train(self, on_step: Callable[[StepLog], None] | None) -> None:
        """Every step that is left."""
        began, first, before = self.run.clock(), self.at.step, self.at.seconds
        worked = self.run.clock if self.run.device.startswith("cuda") else self.run.core_clock
        work_began, work_before = worked(), self.at.core_s
        kept = began
        epochs = self.at.step // len(self.batches), self.recipe.base.epochs
        for epoch in range(*epochs):
            done = self.at.step - epoch * len(self.batches)
            for index, (images, labels) in enumerate(self.batches.epoch(epoch)):
                if index < done:
                    continue
                self.step(images, labels)
                now = self.run.clock()
                self.at.seconds, self.at.core_s = before + now - began, work_before + worked() - work_began
                last = index == len(self.batches) - 1
                if last:
                    self._end_epoch(epoch)
                if last or now - kept > KEEP_S:
                    self.keep()
                    kept = now
                if on_step:
                    on_step(self._log((now - began) / (self.at.step - first)))

    def step(self, images: Tensor, labels: Tensor) -> None:
        """One update of the shared weights by the mean of the networks' gradients."""
        self.optimizer.zero_grad(set_to_none=True)
        teacher: Tensor | None = None
        codes = self.sampler.codes(self.at.step)
        for nth, code in enumerate(codes):
            with autocast(self.recipe.base, self.run.device):
                logits = self.weights(code, self._sized(images, code))
            loss = self._loss(logits.float(), labels, teacher)
            (loss / len(codes)).backward()
            if not nth and self.recipe.distill and self.recipe.sampling == "sandwich":
                teacher = logits.detach().float().softmax(dim=1)
            self.at.loss_sum += loss.detach() / len(codes)
        if self.recipe.clip:
            torch.nn.utils.clip_grad_norm_(self.weights.parameters(), self.recipe.clip)
        set_lr(self.optimizer, self.peak * lr_factor(self.at.step, self.steps, self.recipe.base.warmup))
        self.optimizer.step()
        if self.ema:
            self.ema.update(self.at.step)
        self.at.step += 1
        if self.at.step % CHECK_EVERY == 0:
            self._check()

    def _loss(self, logits: Tensor, labels: Tensor, teacher: Tensor | None) -> Tensor:
        """Cross entropy with the labels, or with the answers of the largest network."""
        if teacher is not None:
            return functional.cross_entropy(logits, teacher)
        return functional.cross_entropy(logits, labels, label_smoothing=self.recipe.base.label_smoothing)

    def _sized(self, images: Tensor, code: Codes) -> Tensor:
        """The batch at the resolution of one network; half of it in the first steps where the recipe says so."""
        side = self.weights.space.decode(code).resolution
        if self.at.step < self.recipe.half * self.steps:
            side = max(1, side // HALF)
        if images.shape[-1] == side:
            return images
        return functional.interpolate(images, size=(side, side), mode="bilinear", antialias=True)

    def _check(self) -> None:
        failure.check_finite(torch.as_tensor(self.at.loss_sum), self.at.step // len(self.batches) + 1)

    def _end_epoch(self, epoch: int) -> None:
        self._check()
        self.at.losses.append(float(self.at.loss_sum) / len(self.batches))
        self.at.loss_sum = 0.0

    def _log(self, step_s: float) -> StepLog:
        done = self.at.step % len(self.batches)
        loss = float(self.at.loss_sum) / done if done else self.at.losses[-1]
        return StepLog(step=self.at.step, steps=self.steps, loss=loss, seconds=self.at.seconds,
                       left_s=step_s * (self.steps - self.at.step))  # fmt: skip

    def keep(self) -> None:
        """A checkpoint of everything that changes."""
        if self.run.folder is None:
            return
        self.at.loss_sum = float(self.at.loss_sum)
        self.keeper.write({
            "tag": self.tag,
            "weights": self.weights.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": self.ema.model.state_dict() if self.ema else None,
            "at": asdict(self.at),
        })  # fmt: skip

    def resume(self) -> None:
        """Goes back to the newest checkpoint, if there is one.

        raises   CheckpointError for one of another training
        """
        kept = self.keeper.newest()
        if kept is None:
            return
        check_tag(kept.get("tag", {}), self.tag, self.run.folder)
        self.weights.load_state_dict(kept["weights"])
        self.optimizer.load_state_dict(kept["optimizer"])
        if self.ema:
            self.ema.model.load_state_dict(kept["ema"])
        self.at = Progress(**kept["at"])
