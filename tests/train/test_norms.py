import torch

from archsearch.train.norms import recalibrate
from archsearch.train.precision import autocast
from archsearch.train.recipe import Recipe
from tests.train.stripes_task import small_model

PLAIN = autocast(Recipe(), "cpu")


def batches(count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(10, 3, 8, 8, generator=generator), torch.zeros(10)) for _ in range(count)]


def test_statistics_are_the_plain_average_over_the_batches():
    model, images = small_model(), batches(5)
    recalibrate(model, images, 50, PLAIN)
    found = torch.stack([model[0](batch) for batch, _ in images])  # [5, 10, c, s, s], the input of the first batch norm
    torch.testing.assert_close(model[1].running_mean, found.mean(dim=(0, 1, 3, 4)))
    torch.testing.assert_close(model[1].running_var, found.var(dim=(1, 3, 4)).mean(dim=0))
    assert model[1].momentum == 0.1
    assert not any(module.training for module in model.modules())


def test_it_stops_at_the_wanted_number_of_images_but_takes_one_batch():
    for images, expected in ((29, 2), (30, 3), (1, 1)):
        model = small_model()
        recalibrate(model, batches(5), images, PLAIN)
        assert model[1].num_batches_tracked == expected


def test_nothing_but_batch_norm_statistics_changes():
    model, same = small_model(), small_model()
    recalibrate(model, batches(2), 20, PLAIN)
    differ = {name for name, value in model.state_dict().items() if not torch.equal(value, same.state_dict()[name])}
    assert differ == {f"{i}.{part}" for i in (1, 4) for part in ("running_mean", "running_var", "num_batches_tracked")}


def test_no_images_leave_everything_as_it_is():
    model, same = small_model(), small_model()
    recalibrate(model, batches(2), 0, PLAIN)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), same.state_dict().values(), strict=True))
