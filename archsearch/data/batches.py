"""Batches of normalised, augmented images on a device; an epoch is a pure function of seed and number."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from archsearch.data import crops
from archsearch.data.augment import EXTRA, Augment
from archsearch.data.cache import LazyImages
from archsearch.data.dataset import DEFAULT_MEAN, DEFAULT_STD, Split
from archsearch.errors import DataError

SMALL = 64  # cached side up to which crop "auto" pads; larger images get a resized crop [pixels]
ZOOM = 1.25  # a resized crop samples from images this much larger than its output: little aliasing, small cache
HELD = 2 * 2**30  # bytes of resized images that may be held beside the cache


class Batches:
    """The images of a split at one resolution, batch by batch.

    size     side of the network's input [pixels]
    augment  how images are varied; None: as they are
    shuffle  a new order each epoch; None: exactly when `augment` is given
    seed     not negative; order and augmentation depend on it and the epoch's number only, not on the device
    mean     by channel, of values in [0, 1]; std likewise
    raises   DataError for a split without images, or one that `drop_last` leaves without a batch
    """

    def __init__(
        self,
        split: Split,
        *,
        batch: int,
        size: int,
        device: str | torch.device = "cpu",
        augment: Augment | None = None,
        seed: int = 0,
        drop_last: bool = False,
        mean: Sequence[float] = DEFAULT_MEAN,
        std: Sequence[float] = DEFAULT_STD,
        channels_last: bool = False,
        shuffle: bool | None = None,
    ) -> None:
        self._batch, self._size, self._drop_last, self._seed = batch, size, drop_last, seed
        self._device, self._augment = torch.device(device), augment
        self._shuffle = augment is not None if shuffle is None else shuffle
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self._crop = crop_kind(augment, split.images.shape[-1])
        self._side = work_side(self._crop, split.images.shape[-1], size)
        self._images = prepared(split.images, self._side, self._device)
        self._home = self._images.device if isinstance(self._images, torch.Tensor) else torch.device("cpu")
        self._labels = split.labels.to(self._device)
        self._extra = [_transform(name) for name in augment.extra] if augment else []
        self._scale = 1 / (255 * torch.tensor(std, device=self._device).view(3, 1, 1))
        self._shift = torch.tensor(mean, device=self._device).view(3, 1, 1) * 255 * self._scale
        if batch < 1 or not len(self):
            raise DataError(f"batches of {batch} from {len(split)} images leave no batch: use 1 to {len(split)}")

    def __len__(self) -> int:
        """Batches in one epoch."""
        return (math.floor if self._drop_last else math.ceil)(len(self._labels) / self._batch)

    @property
    def images(self) -> int:
        """Images in one epoch."""
        return min(len(self._labels), len(self) * self._batch)

    def epoch(self, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The batches of one epoch: float32[b, 3, size, size] and int64[b], on the device."""
        count = len(self._labels)
        generator = torch.Generator().manual_seed(stream(self._seed, epoch))
        order = torch.randperm(count, generator=generator) if self._shuffle else torch.arange(count)
        draws = self._draw(generator)
        rows = list(order.to(self._home).split(self._batch))[: len(self)]
        for i, pixels in enumerate(self._fetched(rows)):
            part = slice(i * self._batch, i * self._batch + len(rows[i]))
            drawn = {name: values[part] for name, values in draws.items()}
            varied = self._vary(pixels, drawn, stream(self._seed, epoch, i))
            yield self._normalised(varied), self._labels[rows[i].to(self._device)]

    def _draw(self, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """All random numbers of an epoch's crops and flips, on the device."""
        count, augment, draws = len(self._labels), self._augment, {}
        if augment is not None and self._crop == "pad":
            draws["offsets"] = crops.pad_offsets(count, augment.padding, generator)
        if augment is not None and self._crop == "resized":
            draws["boxes"] = crops.boxes(count, generator, scale=augment.scale, ratio=augment.ratio)
        if augment is not None and augment.flip:
            draws["mirrored"] = torch.rand(count, generator=generator) < 0.5
        return {name: values.to(self._device) for name, values in draws.items()}

    def _fetched(self, rows: list[torch.Tensor]) -> Iterator[torch.Tensor]:
        """uint8[b, 3, s, s] for each entry of `rows`; lazy images are decoded one batch ahead."""
        if isinstance(self._images, torch.Tensor):
            images = self._images
            yield from (images[index].to(self._device) for index in rows)
            return
        with ThreadPoolExecutor(1) as ahead:
            coming: Future[torch.Tensor] = ahead.submit(self._images.__getitem__, rows[0])
            for following in [*rows[1:], None]:
                pixels = coming.result()
                if following is not None:
                    coming = ahead.submit(self._images.__getitem__, following)
                yield pixels.to(self._device)

    def _vary(self, pixels: torch.Tensor, drawn: dict[str, torch.Tensor], seed: int) -> torch.Tensor:
        """uint8[b, 3, s, s] resized, cropped, mirrored and transformed: uint8[b, 3, size, size]."""
        pixels = crops.resize(pixels, self._side)
        if "boxes" in drawn:
            pixels = crops.resized_crop(pixels, drawn["boxes"], self._size)
        if "offsets" in drawn and self._augment is not None:
            pixels = crops.pad_crop(pixels, drawn["offsets"], self._augment.padding)
        if "mirrored" in drawn:
            pixels = crops.flip(pixels, drawn["mirrored"])
        if self._extra and self._augment is not None:
            pixels = transformed(pixels, self._extra, seed=seed, group=self._augment.group)
        return pixels

    def _normalised(self, pixels: torch.Tensor) -> torch.Tensor:
        scaled = pixels.to(dtype=torch.float32, memory_format=self._format)
        return scaled.mul_(self._scale).sub_(self._shift)


def stream(*entropy: int) -> int:
    """A seed of 63 bits for torch from seed, epoch and batch number."""
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1)


def crop_kind(augment: Augment | None, cached: int) -> str:
    """What "auto" means for images cached at this side."""
    if augment is None:
        return "none"
    return augment.crop if augment.crop != "auto" else ("pad" if cached <= SMALL else "resized")


def work_side(crop: str, cached: int, size: int) -> int:
    """The side that images are held at between cache and crop [pixels]."""
    return min(cached, math.ceil(size * ZOOM)) if crop == "resized" else size


def prepared(images: torch.Tensor | LazyImages, side: int, device: torch.device) -> torch.Tensor | LazyImages:
    """Cached images resized once and moved to the device where they fit there; else as they are."""
    bytes_held = len(images) * 3 * side * side
    if isinstance(images, LazyImages):
        return images
    if images.shape[-1] != side and bytes_held <= HELD:
        images = torch.cat([crops.resize(part, side) for part in images.split(1024)])
    return images.to(device) if images.numel() <= HELD else images


def transformed(images: torch.Tensor, transforms: Sequence[torch.nn.Module], *, seed: int, group: int) -> torch.Tensor:
    """torchvision's transforms over groups of images, each with its own draw; the global generators stay untouched."""
    on_cuda = images.device.type == "cuda"
    with torch.random.fork_rng(devices=[images.device] if on_cuda else []):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would touch every device
        if on_cuda:
            with torch.cuda.device(images.device):
                torch.cuda.manual_seed(seed)
        parts = []
        for part in images.split(group):
            for transform in transforms:
                part = transform(part)
            parts.append(part)
    return torch.cat(parts)


def _transform(name: str) -> torch.nn.Module:
    from torchvision.transforms import v2  # a slow import, needed for extra transforms only

    module: torch.nn.Module = getattr(v2, name)(**EXTRA[name])
    return module
