"""A tiny network and a few random images, made anew for each test."""

import pytest
import torch

from archsearch.proxies.batch import fresh
from archsearch.proxies.score import Batch
from archsearch.spec.text import from_text

TINY = from_text("r16 stem_c8_k3_s2 ir_r2_k3_s1_e2_c8 ir_r1_k5_s2_e3_c16 head_c32_n10")


@pytest.fixture
def network():
    return fresh(TINY, 0)


@pytest.fixture
def batch() -> Batch:
    draws = torch.Generator().manual_seed(1)
    return Batch(images=torch.randn(8, 3, 16, 16, generator=draws), labels=torch.arange(8))
