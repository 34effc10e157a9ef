"""Random crops, flips and resizing of whole batches. No loop over images; random numbers come in as tensors.

Shapes: b images, s their side, r the side wanted, p the padding.
"""

import math

import torch
from torch.nn import functional as F


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """uint8[b, 3, s, s] to uint8[b, 3, size, size], bilinear with antialiasing."""
    if images.shape[-1] == size:
        return images
    if images.device.type == "cpu":
        return F.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    resized = F.interpolate(images.float(), size=(size, size), mode="bilinear", antialias=True)  # no uint8 kernel there
    return resized.round().clamp(0, 255).to(torch.uint8)


def pad_offsets(n: int, padding: int, generator: torch.Generator) -> torch.Tensor:
    """Where each crop starts, rows and columns: int64[n, 2] within 0 .. 2·padding."""
    return torch.randint(0, 2 * padding + 1, (n, 2), generator=generator)


def pad_crop(images: torch.Tensor, offsets: torch.Tensor, padding: int) -> torch.Tensor:
    """Each image moved inside a black border.

    images   [b, 3, s, s];  offsets int64[b, 2], from `pad_offsets`
    returns  [b, 3, s, s]
    """
    size = images.shape[-1]
    windows = F.pad(images, (padding,) * 4).unfold(2, size, 1).unfold(3, size, 1)  # a view [b, 3, 2p+1, 2p+1, s, s]
    batch = torch.arange(len(images), device=images.device)
    return windows[batch, :, offsets[:, 0], offsets[:, 1]]


def boxes(
    n: int, generator: torch.Generator, *, scale: tuple[float, float], ratio: tuple[float, float]
) -> torch.Tensor:
    """Boxes inside the unit square: centre x, centre y, width, height; float32[n, 4].

    The area is uniform in `scale`, log(width / height) uniform in `ratio`; a side that would not fit is cut to 1.
    """
    u = torch.rand(n, 4, generator=generator)
    area = scale[0] + (scale[1] - scale[0]) * u[:, 0]
    low, high = math.log(ratio[0]), math.log(ratio[1])
    aspect = torch.exp(low + (high - low) * u[:, 1])
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    x, y = width / 2 + (1 - width) * u[:, 2], height / 2 + (1 - height) * u[:, 3]
    return torch.stack([x, y, width, height], dim=1)


def resized_crop(images: torch.Tensor, boxes: torch.Tensor, size: int) -> torch.Tensor:
    """Each image's box, stretched to size x size by bilinear sampling.

    images   uint8[b, 3, s, s];  boxes float32[b, 4], from `boxes`
    returns  uint8[b, 3, size, size]
    """
    steps = (torch.arange(size, device=images.device) + 0.5) / size - 0.5  # centres of the wanted pixels, around 0
    x = boxes[:, :1] + boxes[:, 2:3] * steps
    y = boxes[:, 1:2] + boxes[:, 3:4] * steps
    shape = (len(images), size, size)
    grid = 2 * torch.stack([x[:, None, :].expand(shape), y[:, :, None].expand(shape)], dim=-1) - 1
    sampled = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return sampled.round().clamp(0, 255).to(torch.uint8)


def flip(images: torch.Tensor, mirrored: torch.Tensor) -> torch.Tensor:
    """The images [b, 3, s, s] where bool[b] says so, mirrored left to right."""
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)
