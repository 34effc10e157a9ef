"""A training loop as it is usually written: DataLoader, torchvision transforms of single images, float32.

What decides the result is shared with our loop: first weights, learning rates, weight decay, averages of the weights,
batch-norm statistics, judging. What is plain is how images are read and how the network is run.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from archsearch.data import crops
from archsearch.data.augment import Augment
from archsearch.data.batches import crop_kind
from archsearch.data.dataset import Split
from archsearch.train.ema import Ema
from archsearch.train.job import EpochLog, TrainData, TrainRun
from archsearch.train.norms import recalibrate
from archsearch.train.optimizer import decay_groups, set_lr
from archsearch.train.recipe import Recipe
from archsearch.train.schedule import lr_factor, peak_lr
from archsearch.train.score import score
from archsearch.train.seed import seeded

GPU_WORKERS = 8  # processes that read images for a GPU, at most; on a CPU they would take cores from the training


class SingleImages(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """A split image by image, each through torchvision's transforms."""

    def __init__(self, split: Split, size: int, transform: Callable[[Any], torch.Tensor]) -> None:
        from torchvision.transforms.functional import to_pil_image

        pixels = crops.resize(split.images[torch.arange(len(split))], size)
        self._images, self._transform = [to_pil_image(each) for each in pixels], transform
        self._labels = split.labels.tolist()

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self._transform(self._images[index]), self._labels[index]


def transforms(data: TrainData, recipe: Recipe, size: int) -> tuple[Any, Any]:
    """Torchvision's transforms for training and for judging that do what our batches do."""
    from torchvision.transforms import v2

    end = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(data.mean), list(data.std))]
    augment = Augment(crop=recipe.crop, padding=recipe.padding)
    kind = crop_kind(augment, data.train.images.shape[-1])
    begin: list[Any] = []
    if kind == "pad":
        begin = [v2.RandomCrop(size, padding=recipe.padding)]
    elif kind == "resized":
        begin = [v2.RandomResizedCrop(size, scale=augment.scale, ratio=augment.ratio, antialias=True)]
    if recipe.flip == "on" or (recipe.flip == "auto" and data.flip):
        begin.append(v2.RandomHorizontalFlip())
    return v2.Compose([*begin, *end]), v2.Compose(end)


def plain_train(
    model: nn.Module, data: TrainData, recipe: Recipe, *, run: TrainRun,
    on_epoch: Callable[[EpochLog], None] | None = None,
) -> EpochLog:  # fmt: skip
    """Trains a model in place for the recipe's epochs; the log of the last one, judged on `data.eval`."""
    vary, keep = transforms(data, recipe, run.size)
    with seeded(run.seed, recipe.epochs):
        trainer = _Trainer(model.to(run.device), data, recipe, run)
        loaders = trainer.loader(data.train, vary, True), trainer.loader(data.eval, keep, False)
        for epoch in range(recipe.epochs):
            log = trainer.epoch(epoch, *loaders)
            if on_epoch:
                on_epoch(log)
    return log


class _Trainer:
    """The state of one plain training."""

    def __init__(self, model: nn.Module, data: TrainData, recipe: Recipe, run: TrainRun) -> None:
        self.model, self.recipe, self.run = model, recipe, run
        self.batch = min(recipe.batch, len(data.train))
        decayed, free = decay_groups(model)
        self.optimizer = torch.optim.SGD(
            [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}],
            lr=0.0, momentum=recipe.momentum, nesterov=recipe.nesterov)  # fmt: skip
        self.ema = Ema(model, recipe.ema) if recipe.ema else None

    def loader(self, split: Split, transform: Any, training: bool) -> "DataLoader[Any]":
        gpu = torch.device(self.run.device).type == "cuda"
        workers = min(GPU_WORKERS, os.cpu_count() or 1) if gpu else 0
        images = SingleImages(split, self.run.size, transform)
        return DataLoader(images, self.batch if training else max(self.batch, 256), shuffle=training,
                          drop_last=training, num_workers=workers, pin_memory=gpu,
                          persistent_workers=workers > 0)  # fmt: skip

    def epoch(self, epoch: int, images: "DataLoader[Any]", judging: "DataLoader[Any]") -> EpochLog:
        began, steps, total = time.perf_counter(), len(images), 0.0
        self.model.train()
        for index, (inputs, labels) in enumerate(images):
            total += self.step(epoch * steps + index, steps * self.recipe.epochs, inputs, labels)
        top1 = self.judge(images, judging) if epoch + 1 == self.recipe.epochs else None
        return EpochLog(epoch=epoch + 1, epochs=self.recipe.epochs, train_loss=total / steps,
                        lr=self.optimizer.param_groups[0]["lr"], seconds=time.perf_counter() - began,
                        top1=top1)  # fmt: skip

    def step(self, step: int, steps: int, *batch: torch.Tensor) -> float:
        inputs, labels = (each.to(self.run.device) for each in batch)
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.model(inputs), labels, label_smoothing=self.recipe.label_smoothing)
        loss.backward()
        set_lr(self.optimizer, peak_lr(self.recipe, self.batch) * lr_factor(step, steps, self.recipe.warmup))
        self.optimizer.step()
        if self.ema:
            self.ema.update(step)
        return loss.item()

    def judge(self, images: "DataLoader[Any]", judging: "DataLoader[Any]") -> float:
        judged = self.ema.model if self.ema else self.model
        context = torch.autocast(torch.device(self.run.device).type, enabled=False)
        device = self.run.device
        recalibrate(judged, ((x.to(device), y) for x, y in images), self.recipe.norm_images, context)
        return score(judged, ((x.to(device), y.to(device)) for x, y in judging), context).top1
