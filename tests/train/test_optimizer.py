from torch import nn

from archsearch.train.optimizer import decay_groups, sgd
from archsearch.train.recipe import Recipe


def test_batch_norm_and_biases_do_not_decay(model):
    names = {parameter: name for name, parameter in model.named_parameters()}
    decayed, free = decay_groups(model)
    assert [names[p] for p in decayed] == ["0.weight", "3.weight", "8.weight"]
    assert [names[p] for p in free] == ["1.weight", "1.bias", "4.weight", "4.bias", "8.bias"]


def test_each_trainable_parameter_is_in_one_group():
    shared = nn.Linear(4, 4)
    frozen = nn.Linear(4, 4).requires_grad_(False)
    decayed, free = decay_groups(nn.Sequential(shared, shared, frozen))
    assert len(decayed) == 1
    assert len(free) == 1


def test_sgd_decays_what_it_should(model):
    optimizer = sgd(model, Recipe(weight_decay=0.01))
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.01, 0.0]
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(model.parameters()))
