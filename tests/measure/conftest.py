"""A remote device over an sshd on the loopback."""

import sys

import pytest

from archsearch.measure.device import Settings
from tests.measure.loopback import loopback


@pytest.fixture(scope="session")
def sshd(tmp_path_factory):
    with loopback(tmp_path_factory.mktemp("sshd")) as made:
        yield made


@pytest.fixture
def remote(sshd, tmp_path):
    """Makes a remote device with a folder of its own."""
    from archsearch.measure.remote import Remote

    def make(**options):
        settled = {
            "host": sshd.host, "settings": Settings(), "python": sys.executable, "folder": str(tmp_path / "there"),
            "ssh": sshd.ssh, "chunk": 1, "pause_s": 0.05,
        }  # fmt: skip
        return Remote(**(settled | options))

    return make
