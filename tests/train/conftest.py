"""What every test of training gets."""

import pytest
import torch
from torch import nn

from archsearch.train.job import TrainData
from tests.train.stripes_task import small_data, small_model


@pytest.fixture
def data() -> TrainData:
    return small_data()


@pytest.fixture
def model() -> nn.Module:
    return small_model()


@pytest.fixture(autouse=True)
def _one_thread():
    """Tiny networks are faster on one thread, and the tests next door keep theirs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
