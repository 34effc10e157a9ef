"""The ONNX graphs that are timed compute what torch computes."""

import pytest
import torch

from archsearch.errors import SpecError
from archsearch.export.graph import WRITERS, onnx_bytes, random_weights
from archsearch.measure.model import block, model_of, whole
from archsearch.nn.build import Part
from archsearch.nn.fold import folded
from archsearch.spec.arch import ACTIVATIONS, GATES, Arch, Head, Stage, Stem
from archsearch.spec.copies import copies
from archsearch.spec.lower import lower
from archsearch.spec.ops import KINDS, Op
from archsearch.spec.presets import preset
from tests.export.networks import drawn
from tests.nn.shaken import shaken
from tests.strategies import BLOCKS, HEADS

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

TOLERANCE = 1e-4  # of the largest answer, where that is above 1


def with_head(fields):
    """A network of four small stages with this head."""
    stages = tuple(Stage(width=8 * number, stride=2, expand=2) for number in (1, 2, 3, 4))
    return Arch(resolution=70, stem=Stem(width=8, stride=2), stages=stages, head=Head(**fields))


def with_act(act):
    """A network whose layers have this activation."""
    stages = (Stage(width=8, expand=2, act=act), Stage(width=8, expand=2, act=act, block="cr"))
    return Arch(resolution=9, stem=Stem(width=8, act=act), stages=stages, head=Head(width=8, classes=3, act=act))


def with_gate(gate):
    """A network with this gate behind its squeeze-and-excitation."""
    stage = Stage(width=8, expand=2, se=0.5, se_gate=gate)
    return Arch(resolution=9, stem=Stem(width=8), stages=(stage,), head=Head(width=8, classes=3))


def difference(model, batch):
    """Largest difference of the two answers, with the same random weights in both, batch norm folded in ONNX alone."""
    module = shaken(Part(list(model.ops), tuple(name for name, _, _ in model.inputs)))
    session = runtime.InferenceSession(
        weighted(onnx_bytes(model.ops, model.inputs, batch=batch), folded(module)), _options(),
        providers=["CPUExecutionProvider"])  # fmt: skip
    draw = torch.Generator().manual_seed(3)
    fed = {name: torch.randn(batch, channels, side, side, generator=draw) for name, channels, side in model.inputs}
    got = torch.from_numpy(session.run(None, {name: tensor.numpy() for name, tensor in fed.items()})[0])
    with torch.inference_mode():
        wanted = module(*fed.values())
    assert got.shape == wanted.shape
    assert wanted.isfinite().all()
    return float((got - wanted).abs().max() / wanted.abs().max().clamp(min=1))


def weighted(made, module):
    """The ONNX model with the weights of a torch module in place of its own; there must be a place for each."""
    proto = onnx.load_from_string(made)
    onnx.checker.check_model(proto, full_check=True)
    places = {each.name: each for each in proto.graph.initializer}
    for chain, _, name, _ in module._steps:
        named = [each for layer in chain for each in getattr(*layer).named_parameters()]
        for field, tensor in named:
            place = places[f"{name}.{field}"]
            assert list(place.dims) == list(tensor.shape)
            place.CopyFrom(onnx.numpy_helper.from_array(tensor.detach().numpy(), place.name))
    return proto.SerializeToString()


def _options():
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return options


@pytest.mark.parametrize("number", range(2 * len(BLOCKS)))
def test_drawn_networks_of_every_block_type_and_each_of_their_blocks(number):
    arch = drawn(number)
    assert difference(whole(arch, "whole"), batch=2) < TOLERANCE
    for each in copies(lower(arch)):
        for ops in each.blocks:
            if ops:
                assert difference(block(ops), batch=1) < TOLERANCE, block(ops).name


@pytest.mark.parametrize("fields", [{"kind": "classifier", "width": 16, "hidden": 8, "classes": 3}, *HEADS], ids=str)
@pytest.mark.parametrize("batch", [1, 2])
def test_every_head_alone_and_behind_its_network(fields, batch):
    arch = with_head(fields)
    assert difference(whole(arch, "whole"), batch) < TOLERANCE
    *_, head = copies(lower(arch))
    assert difference(block(head.blocks[0]), batch) < TOLERANCE


@pytest.mark.parametrize("act", ACTIVATIONS)
def test_every_activation(act):
    assert difference(whole(with_act(act), act), batch=1) < TOLERANCE


@pytest.mark.parametrize("gate", GATES)
def test_every_gate(gate):
    assert difference(whole(with_gate(gate), gate), batch=1) < TOLERANCE


def test_every_kind_of_op_has_a_form():
    assert set(WRITERS) == set(KINDS)


def test_a_published_network():
    assert difference(whole(preset("mobilenet_v3_small"), "mobilenet_v3_small"), batch=1) < TOLERANCE


@pytest.mark.parametrize(("fields", "told"), [({"kind": "sum"}, "ops of kind 'sum' have no ONNX form"),
                                              ({"act": "tanh"}, "activation 'tanh' has no ONNX form")])  # fmt: skip
def test_what_has_no_form_is_refused_in_one_line(fields, told):
    plain = {"kind": "conv", "label": "a", "c_in": 3, "c_out": 3, "size_in": 4, "size_out": 4, "name": "a",
             "inputs": ("input",)}  # fmt: skip
    model = model_of([Op(**plain | fields)], "one")
    with pytest.raises(SpecError, match=f"^{told}"):
        onnx_bytes(model.ops, model.inputs)


def test_random_weights_repeat_and_keep_their_scale():
    few, many = random_weights((8, 4, 3, 3), 36), random_weights((1100, 1000), 1000)
    assert few.shape == (8, 4, 3, 3)
    assert (few == random_weights((8, 4, 3, 3), 36)).all()
    assert float(many.std()) == pytest.approx((2 / 1000) ** 0.5, rel=0.01)
    assert few.dtype == many.dtype == "float32"
