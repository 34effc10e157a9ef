"""int8 models: quantised in full, close to the float ones, and run by int8 kernels."""

import logging

import numpy as np
import pytest

from archsearch import testing
from archsearch.export.graph import onnx_bytes
from archsearch.measure.device import Settings
from archsearch.measure.model import block, whole
from archsearch.measure.onnxruntime_device import onnx_of, onnxruntime_device
from archsearch.spec.copies import copies
from archsearch.spec.lower import lower
from archsearch.spec.presets import preset
from archsearch.spec.text import from_text
from archsearch.testing.devices import NETS
from tests.strategies import HEADS

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
INT8 = Settings(dtype="int8")


def small(number=0):
    """One of the networks that devices are checked with."""
    return whole(from_text(testing.devices.NETS[number]), "small")


def nodes(made, kind):
    return [node for node in onnx.load_from_string(made).graph.node if node.op_type == kind]


def answers(made, model, batch=1):
    """What an ONNX model says of random inputs."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(made, options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    fed = {name: rng.standard_normal((batch, channels, side, side), dtype=np.float32)
           for name, channels, side in model.inputs}  # fmt: skip
    return session.run(None, fed)[0]


def test_each_layer_has_int8_weights_with_one_scale_a_channel():
    model = small()
    proto = onnx.load_from_string(onnx_of(model, INT8))
    onnx.checker.check_model(proto)
    constants = {each.name: each for each in proto.graph.initializer}
    for op in model.ops:
        if op.kind in ("conv", "linear"):
            assert constants[f"{op.name}.weight_quantized"].data_type == onnx.TensorProto.INT8
            assert np.prod(constants[f"{op.name}.weight_scale"].dims) == op.c_out


def test_onnxruntime_runs_all_convolutions_in_int8(tmp_path):
    options = runtime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    model = whole(preset("mobilenet_v2_0.35_96"), "mobilenet")
    runtime.InferenceSession(onnx_of(model, INT8), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]
    assert kinds.count("QLinearConv") == sum(op.kind == "conv" for op in model.ops)
    assert "Conv" not in kinds


@pytest.mark.parametrize("number", range(len(NETS)))
def test_answers_are_close_to_those_in_float(number):
    model = small(number)
    plain, coarse = answers(onnx_of(model, Settings()), model), answers(onnx_of(model, INT8), model)
    assert plain.shape == coarse.shape
    assert np.abs(plain - coarse).max() < 0.2 * np.abs(plain).max()


@pytest.mark.parametrize("fields", HEADS, ids=str)
def test_every_head_is_quantised_alone_with_all_maps_that_it_reads(fields):
    from tests.export.test_graph import with_head

    *_, head = copies(lower(with_head(fields)))
    model = block(head.blocks[0])
    device = onnxruntime_device(INT8)
    loaded = device.load(model)
    assert loaded.run() > 0
    loaded.close()


def test_it_takes_the_batch_it_was_made_for_repeats_itself_and_says_nothing(capfd, caplog):
    from archsearch.measure.ort_int8 import quantised

    model = small()
    made = onnx_bytes(model.ops, model.inputs, batch=2)
    handlers = list(logging.getLogger().handlers)
    with caplog.at_level(logging.DEBUG):
        first = quantised(made, model, 2)
    assert first == quantised(made, model, 2)
    assert answers(first, model, batch=2).shape == (2, 3)
    assert logging.getLogger().handlers == handlers
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert capfd.readouterr() == ("", "")
