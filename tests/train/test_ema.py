import pytest
import torch

from archsearch.train.ema import Ema, decay_at
from tests.train.stripes_task import small_model


def test_the_decay_warms_up_and_stops_at_its_limit():
    assert decay_at(0, 0.999) == pytest.approx(0.1)
    assert decay_at(90, 0.999) == pytest.approx(0.91)
    assert decay_at(10**6, 0.999) == 0.999


def test_the_average_is_the_weighted_sum_of_all_weights_so_far(model):
    ema = Ema(model, decay=0.5)
    expected = model[0].weight.detach().clone()
    for step in range(12):
        with torch.no_grad():
            model[0].weight.add_(1.0)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model[0].weight.detach()
        ema.update(step)
    torch.testing.assert_close(ema.model[0].weight, expected)


def test_batch_norm_statistics_are_averaged_and_counters_copied(model):
    ema = Ema(model, decay=0.999)
    model(torch.randn(8, 3, 8, 8))
    ema.update(0)
    torch.testing.assert_close(ema.model[1].running_mean, 0.9 * model[1].running_mean)  # from 0, decay 0.1
    assert ema.model[1].num_batches_tracked == 1


def test_the_average_leaves_the_model_alone_and_learns_nothing_itself():
    model, same = small_model(), small_model()
    ema = Ema(model, decay=0.9)
    ema.update(0)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), same.state_dict().values(), strict=True))
    assert not any(parameter.requires_grad for parameter in ema.model.parameters())
    assert not ema.model.training
