"""Every proxy by its name: lent networks come back as they were, one seed one score, all block types, errors."""

from dataclasses import replace

import pytest
import torch

from archsearch import plugins
from archsearch.data.load import load
from archsearch.errors import DataError, PluginError, TrainingError
from archsearch.proxies.batch import drawn, fresh
from archsearch.proxies.compare import Asked, scored
from archsearch.proxies.costs import COUNTED, counted
from archsearch.proxies.lent import finite, lent
from archsearch.proxies.score import Batch, score, scores, squash
from archsearch.spec.text import from_text

NAMES = plugins.names("proxies")
BLOCKS = (
    "r16 stem_c8 ir_r2_k3_e2_c8 ds_r1_k3_s2_c16 head_c0_n4",
    "r16 stem_c8 cr_r2_k3_e2_c16 id_r1_c24 cn_r1_k3_s2_c16 head_c16_n4",
    "r16 stem_c8 er_r2_k3_s2_e4_c16 sg_r2_k3_e2_c16 head_c16_n4",
    "r16 stem_c8 ir_r2_k3_e2_c8_se0.25_nhs ir_r1_k3_s2_e2_c16_se0.25_nsw head_c16_n4",
    "r16 stem_c8 ir_r2_k3_e2_c8_xskip uib_r1_k3_e2_c8 ir_r2_k3_e2_c8_relu6 head_c16_n4",
)


def everything(network):
    """All that a proxy might leave changed."""
    state = {name: value.clone() for name, value in network.state_dict().items()}
    marks = [(module.training, getattr(module, "inplace", None), len(module._forward_hooks),
              len(module._forward_pre_hooks)) for module in network.modules()]  # fmt: skip
    return state, marks, [(p.requires_grad, p.grad) for p in network.parameters()]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("training", [True, False])
def test_a_proxy_leaves_the_network_as_it_was(name, training, network, batch):
    network.train(training)
    next(network.parameters()).requires_grad_(False)
    before, generator = everything(network), torch.get_rng_state()
    score(name, network, batch, 3)
    after = everything(network)
    assert before[1:] == after[1:]
    assert all(torch.equal(value, after[0][key]) for key, value in before[0].items())
    assert torch.equal(generator, torch.get_rng_state())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_score_whatever_the_modes_were(name, network, batch):
    first = score(name, network, batch, 3)
    network.eval()
    assert score(name, network, batch, 3) == first
    if name not in (*COUNTED, "zen", "synflow"):
        assert score(name, fresh(from_text("r16 stem_c8 ir_r1_k3_e2_c8 head_c32_n10"), 5), batch, 3) != first


@pytest.mark.parametrize("text", BLOCKS)
def test_every_proxy_runs_on_every_block_type(text, batch):
    four = Batch(images=batch.images, labels=batch.labels % 4)
    found = {name: score(name, fresh(from_text(text), 0), four, 0) for name in NAMES}
    together = scores(NAMES, fresh(from_text(text), 0), four, 0)
    assert together == pytest.approx(found, rel=1e-6)


def test_every_block_type_is_among_them():
    assert set(plugins.TABLE["blocks"]) <= {word.partition("_")[0] for text in BLOCKS for word in text.split()}


@pytest.mark.parametrize("text", BLOCKS)
@pytest.mark.parametrize("name", COUNTED)
def test_what_is_counted_is_what_the_built_network_has(name, text, batch):
    arch = from_text(text)
    assert counted(name, arch) == score(name, fresh(arch, 0), batch, 0) > 0


def test_depth_is_the_number_of_activations():
    arch = from_text("r16 stem_c8 ir_r2_k3_e2_c8 ir_r1_k3_e1_c8_linear head_c16_n4")
    assert counted("depth", arch) == 1 + 2 * 2 + 1 + 1  # stem; expand and depthwise, twice; depthwise alone; head


def test_an_unknown_proxy_and_a_score_that_is_no_number(network, batch):
    with pytest.raises(PluginError, match="unknown proxy 'nasswot': did you mean 'naswot'"):
        score("nasswot", network, batch, 0)
    with pytest.raises(TrainingError, match="proxy x gives inf") as caught:
        finite("x", float("inf"))
    assert caught.value.reason == "nan"
    nothing = replace(batch, images=batch.images * float("nan"))
    with pytest.raises(TrainingError, match="proxy grad_norm gives nan"):
        score("grad_norm", network, nothing, 0)
    assert scores(["grad_norm", "params"], network, nothing, 0)["params"] > 0


def test_what_goes_wrong_inside_is_undone_too(network):
    network.eval()
    handle = network.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), lent(network) as borrowed:
        borrowed(torch.zeros(2, 3, 16, 16))
    handle.remove()
    assert not network.training
    assert all(int(value) == 0 for name, value in network.state_dict().items() if "num_batches" in name)


def test_squashing_keeps_the_order():
    values = [-1e300, -40.0, -1.0, 0.0, 1e-3, 1.0, 399.0, 400.0, 1e8, 1e8 + 1e3, 1e300]
    made = [squash(value) for value in values]
    assert made == sorted(set(made))
    assert 0 < made[0]
    assert made[-1] < 1
    assert squash(0.0) == 0.5


@pytest.fixture(scope="module")
def digits():
    return load("digits", size=24)


def test_a_batch_is_drawn_by_its_seed_alone_and_the_same_at_every_size(digits):
    images, labels = drawn(digits, 12, size=24, seed=4)
    again, small = drawn(digits, 12, size=24, seed=4), drawn(digits, 12, size=16, seed=4)
    assert images.shape == (12, 3, 24, 24)
    assert torch.equal(images, again[0])
    assert torch.equal(labels, small[1])
    assert small[0].shape == (12, 3, 16, 16)
    assert not torch.equal(labels, drawn(digits, 12, size=24, seed=5)[1])
    assert len(drawn(digits, 10**6, size=8, seed=0)[1]) == len(digits.splits["train"])


def test_networks_side_by_side_are_timed_alone_and_failures_told(digits):
    ticks = iter(range(1000))
    asked = Asked(names=("naswot", "params"), dataset=digits, images=8)
    good, silent = scored(
        [from_text("r16 stem_c8 ir_r1_k3_e2_c8 head_c16_n4"), from_text("r16 stem_c8_nid head_c0_n4")], asked,
        clock=lambda: next(ticks),
    )  # fmt: skip
    assert good.arch.head.classes == 10
    assert good.seconds == {"naswot": 2, "params": 1}  # building counts where a network is built
    assert good.failed == {}
    assert set(silent.failed) == {"naswot"}
    with pytest.raises(DataError, match="2 images or more, got 1"):
        Asked(names=(), dataset=digits, images=1)
