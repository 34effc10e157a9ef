"""Batches: every image once, pure in seed and epoch, normalised, cropped, mirrored."""

import pytest
import torch

from archsearch.data import crops
from archsearch.data.augment import EXTRA, Augment
from archsearch.data.batches import Batches
from archsearch.data.dataset import Split
from archsearch.data.load import load
from archsearch.errors import DataError

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)


def split(n: int = 50, size: int = 8) -> Split:
    generator = torch.Generator().manual_seed(n)
    images = torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=generator)
    return Split(images=images, labels=torch.arange(n))


def batches(data: Split, **options) -> Batches:
    return Batches(data, **({"batch": 16, "size": 8, "mean": MEAN, "std": STD} | options))


def whole(made: Batches, epoch: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = zip(*made.epoch(epoch), strict=True)
    return torch.cat(images), torch.cat(labels)


def test_evaluation_keeps_order_and_counts_each_image_once():
    data = split()
    made = batches(data)
    assert [len(labels) for _, labels in made.epoch(0)] == [16, 16, 16, 2]
    assert (len(made), made.images) == (4, 50)
    assert whole(made)[1].tolist() == list(range(50))


def test_images_are_normalised_by_channel():
    data = split()
    images, _ = whole(batches(data))
    wanted = (data.images.double() / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    assert images.dtype == torch.float32
    assert images.double() == pytest.approx(wanted, abs=1e-5)


def test_training_shuffles_and_drops_the_last_batch():
    made = batches(split(), augment=Augment(crop="none"), drop_last=True)
    assert (len(made), made.images) == (3, 48)
    labels = whole(made)[1].tolist()
    assert len(set(labels)) == 48
    assert labels != sorted(labels)


def test_shuffle_can_be_told():
    still = batches(split(), augment=Augment(), shuffle=False)
    mixed = batches(split(), shuffle=True)
    assert whole(still)[1].tolist() == list(range(50))
    assert whole(mixed)[1].tolist() != list(range(50))


def test_an_epoch_is_a_pure_function_of_seed_and_number():
    augment = Augment(flip=True, extra=("RandAugment", "RandomErasing"))
    one, two = batches(split(), augment=augment, seed=3), batches(split(), augment=augment, seed=3)
    whole(one, 0)  # what went before does not matter
    torch.rand(5)
    torch.testing.assert_close(whole(one, 4), whole(two, 4), rtol=0, atol=0)
    assert not torch.equal(whole(one, 4)[1], whole(one, 5)[1])
    assert not torch.equal(whole(one, 4)[1], whole(batches(split(), augment=augment, seed=4), 4)[1])


def test_augmentation_differs_between_epochs():
    made = batches(split(), augment=Augment(flip=True), shuffle=False)
    assert not torch.equal(whole(made, 0)[0], whole(made, 1)[0])


@pytest.mark.parametrize("name", sorted(EXTRA))
def test_extra_transforms_leave_the_global_generator_alone(name):
    made = batches(split(size=32), augment=Augment(crop="none", extra=(name,)), size=32)
    before = torch.get_rng_state()
    images, _ = whole(made)
    assert images.shape == (50, 3, 32, 32)
    assert torch.equal(torch.get_rng_state(), before)


def test_extra_transforms_change_images():
    plain = batches(split(size=32), augment=Augment(crop="none"), size=32)
    erased = batches(split(size=32), augment=Augment(crop="none", extra=("RandomErasing",)), size=32)
    assert not torch.equal(whole(plain)[0], whole(erased)[0])


def test_flip_mirrors_about_half_of_the_images():
    data = split(400)
    images, labels = whole(batches(data, augment=Augment(crop="none", flip=True)))
    plain, _ = whole(batches(data))
    same = (images == plain[labels]).flatten(1).all(1)
    mirrored = (images == plain[labels].flip(-1)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 150 < mirrored.sum() < 250


def test_without_flip_nothing_is_mirrored():
    data = split(100)
    images, labels = whole(batches(data, augment=Augment(crop="none")))
    assert torch.equal(images, whole(batches(data))[0][labels])


def test_every_training_crop_is_a_window_of_its_image():
    data, padding = split(30), 2
    images, labels = whole(batches(data, augment=Augment(crop="pad", padding=padding), mean=(0,) * 3, std=(1,) * 3))
    moved = 0
    for image, label in zip((images * 255).round().to(torch.uint8), labels.tolist(), strict=True):
        padded = torch.nn.functional.pad(data.images[label], (padding,) * 4)
        windows = {(i, j): padded[:, i : i + 8, j : j + 8] for i in range(5) for j in range(5)}
        found = [place for place, window in windows.items() if torch.equal(window, image)]
        assert len(found) == 1
        moved += found[0] != (2, 2)
    assert moved > 20


def test_small_images_are_padded_and_large_ones_get_a_resized_crop():
    flat = Split(images=torch.full((40, 3, 100, 100), 200, dtype=torch.uint8), labels=torch.arange(40))
    options = {"augment": Augment(), "mean": (0,) * 3, "std": (1,) * 3, "size": 32}
    assert whole(batches(flat, **options))[0].min() == pytest.approx(200 / 255)  # no black border
    small = Split(images=flat.images[..., :64, :64], labels=flat.labels)
    assert whole(batches(small, **options))[0].min() == 0


@pytest.mark.parametrize("augment", [None, Augment(), Augment(crop="resized", flip=True), Augment(crop="none")])
@pytest.mark.parametrize("size", [5, 8, 11])
def test_any_size_can_be_asked_for(augment, size):
    images, labels = whole(batches(split(), augment=augment, size=size))
    assert images.shape == (50, 3, size, size)
    assert sorted(labels.tolist()) == list(range(50))


def test_resizing_is_that_of_the_whole_split():
    data = split(20, 16)
    images, _ = whole(batches(data, mean=(0,) * 3, std=(1,) * 3))
    assert torch.equal((images * 255).round().to(torch.uint8), crops.resize(data.images, 8))


@pytest.mark.parametrize("channels_last", [True, False])
def test_memory_format_is_as_asked(channels_last):
    for data in (
        split(),
        Split(images=split().images.contiguous(memory_format=torch.channels_last), labels=torch.arange(50)),
    ):
        images, _ = next(batches(data, augment=Augment(flip=True), channels_last=channels_last).epoch(0))
        wanted = torch.channels_last if channels_last else torch.contiguous_format
        assert images.is_contiguous(memory_format=wanted)


@pytest.mark.parametrize("augment", [None, Augment(flip=True), Augment(crop="resized", extra=("ColorJitter",))])
def test_lazy_images_give_the_same_batches_as_cached_ones(make_folder, augment):
    root = make_folder({"cat": 40, "dog": 40}, size=30)
    cached, lazy = load(root), load(root, memory_limit=1)
    for size in (30, 20):
        wanted = whole(batches(cached.splits["train"], augment=augment, size=size), 2)
        got = whole(batches(lazy.splits["train"], augment=augment, size=size), 2)
        assert torch.equal(got[1], wanted[1])
        assert torch.equal(got[0], wanted[0])


def test_no_batch_at_all_is_an_error():
    with pytest.raises(DataError, match="batches of 16 from 10 images leave no batch: use 1 to 10"):
        batches(split(10), drop_last=True)
    with pytest.raises(DataError, match="batches of 0 from 10 images"):
        batches(split(10), batch=0)


@pytest.mark.gpu
def test_batches_on_the_gpu_are_those_of_the_cpu():
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    for size in (8, 6):
        options = {"augment": Augment(flip=True), "size": size, "seed": 2}
        here, there = whole(batches(split(), **options)), whole(batches(split(), device="cuda", **options))
        assert torch.equal(here[1], there[1].cpu())
        assert (here[0] - there[0].cpu()).abs().max() < 1e-5
