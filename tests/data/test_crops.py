"""Batched crops and flips against slow references that look at one image at a time."""

import pytest
import torch
from torch.nn import functional as F

from archsearch.data import crops
from archsearch.data.augment import EXTRA, Augment
from archsearch.errors import RecipeError


def noise(n: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(n)
    return torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=generator)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("padding", [0, 1, 4])
def test_pad_crop_moves_each_image_by_its_own_offset(padding, layout):
    images = noise(20, 9).contiguous(memory_format=layout)
    offsets = crops.pad_offsets(20, padding, generator())
    got = crops.pad_crop(images, offsets, padding)
    for image, (row, column), crop in zip(images, offsets.tolist(), got, strict=True):
        padded = F.pad(image, (padding,) * 4)
        assert torch.equal(crop, padded[:, row : row + 9, column : column + 9])


def test_offsets_reach_every_place():
    offsets = crops.pad_offsets(2000, 2, generator())
    assert {tuple(pair) for pair in offsets.tolist()} == {(i, j) for i in range(5) for j in range(5)}


def test_flip_mirrors_where_told_and_nowhere_else():
    images = noise(4, 5)
    got = crops.flip(images, torch.tensor([True, False, True, False]))
    assert torch.equal(got[0], images[0].flip(-1))
    assert torch.equal(got[2], images[2].flip(-1))
    assert torch.equal(got[1::2], images[1::2])


def test_a_box_of_everything_changes_nothing():
    images = noise(3, 16)
    assert torch.equal(crops.resized_crop(images, torch.tensor([[0.5, 0.5, 1, 1]] * 3), 16), images)


def test_resized_crop_of_whole_pixels_is_a_slice():
    images = noise(2, 16)
    boxes = torch.tensor([[0.25, 0.75, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]])  # centre x, centre y, width, height
    got = crops.resized_crop(images, boxes, 8)
    assert torch.equal(got[0], images[0, :, 8:, :8])
    assert torch.equal(got[1], images[1, :, 4:12, 4:12])


def test_resized_crop_agrees_with_interpolation_of_the_slice():
    ramp = torch.arange(0, 256, 8, dtype=torch.uint8)
    image = ramp.view(1, 1, 1, 32).expand(1, 3, 32, 32)
    got = crops.resized_crop(image, torch.tensor([[0.5, 0.5, 0.5, 0.5]]), 32)
    wanted = F.interpolate(image[:, :, 8:24, 8:24].float(), size=(32, 32), mode="bilinear")
    assert (got[..., 2:-2] - wanted[..., 2:-2]).abs().max() <= 1


def test_boxes_lie_inside_and_keep_the_area_asked_for():
    x, y, width, height = crops.boxes(4000, generator(), scale=(0.2, 0.6), ratio=(0.8, 1.25)).unbind(1)
    assert (x - width / 2).min() >= -1e-6
    assert (x + width / 2).max() <= 1 + 1e-6
    assert (y - height / 2).min() >= -1e-6
    assert (y + height / 2).max() <= 1 + 1e-6
    area = width * height
    assert (area.min() >= 0.2 - 1e-6) & (area.max() <= 0.6 + 1e-6)
    assert area.mean() == pytest.approx(0.4, abs=0.01)
    assert ((width / height).min() >= 0.8 - 1e-6) & ((width / height).max() <= 1.25 + 1e-6)


def test_resize_keeps_flat_images_flat_and_bytes_bytes():
    images = torch.full((2, 3, 20, 20), 77, dtype=torch.uint8)
    got = crops.resize(images, 13)
    assert got.dtype == torch.uint8
    assert got.shape == (2, 3, 13, 13)
    assert (got == 77).all()
    assert crops.resize(images, 20) is images


def test_augment_refuses_what_it_cannot_do():
    with pytest.raises(RecipeError, match="unknown crop 'padd'.*did you mean 'pad'"):
        Augment(crop="padd")
    with pytest.raises(RecipeError, match="unknown transform 'RandAug'.*did you mean 'RandAugment'"):
        Augment(extra=("RandAug",))
    with pytest.raises(RecipeError, match="padding must be 0 or more"):
        Augment(padding=-1)
    with pytest.raises(RecipeError, match="group must be at least 1"):
        Augment(group=0)
    with pytest.raises(RecipeError, match="scale must rise"):
        Augment(scale=(0.5, 1.5))
    with pytest.raises(RecipeError, match="ratio must rise"):
        Augment(ratio=(2, 1))


def test_flip_is_off_unless_asked_for():
    assert not Augment().flip


def test_every_extra_transform_is_torchvision_s():
    from torchvision.transforms import v2

    for name, options in EXTRA.items():
        assert isinstance(getattr(v2, name)(**options), v2.Transform)
