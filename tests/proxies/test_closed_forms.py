"""Proxies on networks so small that they can be worked out by hand."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from archsearch.errors import TrainingError
from archsearch.nn.layers import Add, Pool
from archsearch.proxies.jacov import SMALL, correlations, jacov
from archsearch.proxies.loss import fisher, grad_norm, snip
from archsearch.proxies.naswot import kernel, naswot
from archsearch.proxies.synflow import synflow
from archsearch.proxies.zen import STEP, zen
from archsearch.proxies.zico import zico, zico_of

IMAGES = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.8, -1.0], [-0.7, 0.1, 2.0], [1.5, 1.0, 0.2]])
LABELS = torch.tensor([0, 1, 1, 0])


@pytest.fixture
def two_layers():
    """x -> W2 W1 x, no bias, no activation."""
    draws = torch.Generator().manual_seed(0)
    made = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Linear(4, 2, bias=False))
    with torch.no_grad():
        for layer in made:
            layer.weight.normal_(generator=draws)
    return made


def by_hand(model):
    """Weights, hidden values and gradients of the two-layer network, by the chain rule in NumPy."""
    first, second = (layer.weight.detach().numpy().astype(float) for layer in model)
    x = IMAGES.numpy().astype(float)
    hidden = x @ first.T
    out = hidden @ second.T
    chance = np.exp(out) / np.exp(out).sum(axis=1, keepdims=True)
    of_out = (chance - np.eye(2)[LABELS.numpy()]) / len(x)
    of_hidden = of_out @ second
    return (first, second), (hidden, out), (of_hidden.T @ x, of_out.T @ hidden), (of_hidden, of_out)


def test_grad_norm_snip_and_fisher_of_two_linear_layers(two_layers):
    weights, maps, of_weights, of_maps = by_hand(two_layers)
    assert grad_norm(two_layers, IMAGES, LABELS, 0) == pytest.approx(sum(map(np.linalg.norm, of_weights)), rel=1e-5)
    expected = sum(np.abs(w * g).sum() for w, g in zip(weights, of_weights, strict=True))
    assert snip(two_layers, IMAGES, LABELS, 0) == pytest.approx(expected, rel=1e-5)
    expected = sum(((a * g) ** 2).mean(axis=0).sum() / 2 for a, g in zip(maps, of_maps, strict=True))
    assert fisher(two_layers, IMAGES, LABELS, 0) == pytest.approx(expected, rel=1e-5)


def test_fisher_sums_each_channels_map_before_it_squares():
    model = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(8, 2, bias=False))
    images = torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 0])
    seen = model[0](images)
    slope = torch.autograd.grad(functional.cross_entropy(model[2](model[1](seen)), labels), seen)[0]
    last = model(images)
    of_last = torch.autograd.grad(functional.cross_entropy(last, labels), last)[0]
    conv = ((seen * slope).sum(dim=(2, 3)) ** 2).mean(dim=0).sum() / 2
    assert fisher(model, images, labels, 0) == pytest.approx(
        float((conv + ((last * of_last) ** 2).mean(dim=0).sum() / 2).detach()), rel=1e-5
    )


def test_naswot_of_three_images_by_hand():
    model = nn.Sequential(nn.Linear(2, 4, bias=False), nn.ReLU6(), nn.Linear(4, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [1.0, 1.0]]))
    images = torch.tensor([[1.0, 2.0], [-1.0, 2.0], [9.0, -2.0]])  # codes 1101, 0111, 1001: 9 is on, above 6 or not
    agree = [[4, 2, 3], [2, 4, 1], [3, 1, 4]]
    assert kernel(model, images).tolist() == agree
    assert naswot(model, images, LABELS, 0) == pytest.approx(math.log(np.linalg.det(agree)))


def test_naswot_says_when_two_images_have_one_code_and_when_nothing_switches():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU())
    with pytest.raises(TrainingError, match="proxy naswot gives -inf"):
        naswot(model, torch.ones(2, 2), LABELS, 0)
    with pytest.raises(TrainingError, match="proxy naswot gives -inf"):
        naswot(nn.Sequential(nn.Linear(2, 4), nn.Sigmoid()), torch.eye(2), LABELS, 0)


def test_a_linear_bottleneck_has_no_units():
    plain = nn.Sequential(nn.Linear(3, 5), nn.ReLU())
    longer = nn.Sequential(*plain, nn.Linear(5, 7), nn.Linear(7, 2))
    assert torch.equal(kernel(plain, IMAGES), kernel(longer, IMAGES))


def test_synflow_of_a_chain_is_its_layers_times_the_product_of_its_weights():
    chain = nn.Sequential(*(nn.Linear(1, 1, bias=False) for _ in range(4)))
    values = [0.5, -3.0, 1.5, -0.2]
    with torch.no_grad():
        for layer, value in zip(chain, values, strict=True):
            layer.weight.fill_(value)
    assert synflow(chain, torch.zeros(2, 1), LABELS, 0) == pytest.approx(4 * math.prod(map(abs, values)), rel=1e-6)


def test_synflow_passes_through_batch_norm_and_the_cut_of_relu6():
    bare = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(3, 2))
    dressed = nn.Sequential(bare[0], nn.BatchNorm2d(3), nn.ReLU6(), bare[1], bare[2])
    with torch.no_grad():
        bare[0].weight.mul_(100)
        dressed[1].running_var.fill_(7.0)
    images = torch.zeros(1, 2, 3, 3)
    assert synflow(dressed, images, LABELS, 0) == synflow(bare, images, LABELS, 0)


def test_jacov_of_a_linear_network_is_that_of_equal_gradients():
    model = nn.Linear(3, 2)
    values = np.array([0.0, 0.0, 0.0, 4.0]) + SMALL  # all images have one gradient: correlations of 1
    assert jacov(model, IMAGES, LABELS, 0) == pytest.approx(-(np.log(values) + 1 / values).sum(), rel=1e-3)


def test_jacov_looks_at_correlations_as_numpy_has_them():
    assert correlations(IMAGES).numpy() == pytest.approx(np.corrcoef(IMAGES.numpy().astype(float)))


def test_zico_by_hand_and_with_too_few_images(two_layers):
    slopes = [
        [torch.tensor([1.0, -3.0, 2.0]), torch.tensor([5.0])],
        [torch.tensor([3.0, 5.0, 2.0]), torch.tensor([1.0])],
    ]
    by_hand = math.log(2 / 1 + 4 / 1) + math.log(3 / 2)  # the third weight's gradient never changes
    assert zico_of(slopes) == pytest.approx(by_hand)
    assert math.isfinite(zico(two_layers, IMAGES, LABELS, 0))
    with pytest.raises(TrainingError, match="needs 4 images at least, got 3"):
        zico(two_layers, IMAGES[:3], LABELS[:3], 0)


class OneConv(nn.Module):
    """A 1x1 convolution of one channel, a norm and a shortcut before the pooling."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.add, self.pool = nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1), Add(), Pool()

    def forward(self, x):
        return self.pool(self.add(self.norm(self.conv(x)), x))


def test_zen_does_not_feel_the_scale_that_batch_norm_takes_away():
    """log of the change behind the norm plus log of its deviation is the change of the convolution: w x step."""
    images, seed = torch.zeros(64, 1, 6, 6), 5
    draws = torch.Generator().manual_seed(seed)
    weight = torch.empty(1).normal_(generator=draws)
    first, other = (torch.empty_like(images).normal_(generator=draws) for _ in range(2))
    moved = first + STEP * other
    here, there = (weight * (each - each.mean()) for each in (first, moved))
    there = there * here.std(correction=0) / there.std(correction=0)  # the second batch has a deviation of its own
    by_hand = (here - there).abs().flatten(1).sum(dim=1).mean().log()
    assert zen(OneConv(), images, LABELS, seed) == pytest.approx(float(by_hand), abs=1e-3)
