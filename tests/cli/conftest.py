"""The command line called in this process, in an empty folder."""

import json

import pytest

from archsearch.cli.main import code


class Outcome:
    """Exit code and what was printed."""

    def __init__(self, exit_code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = exit_code, out, err

    @property
    def json(self):
        """The one JSON document on stdout."""
        return json.loads(self.out)


@pytest.fixture
def cli(capfd, tmp_path, monkeypatch):
    """Call `archsearch`; relative paths lie in a new folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Outcome:
        exit_code = code([str(word) for word in arguments])
        printed = capfd.readouterr()
        return Outcome(exit_code, printed.out, printed.err)

    return call


@pytest.fixture
def finished(cli):
    """A finished run on the synthetic evaluator, in the folder `run`."""
    command = ("run", "--budget-madds", "20M", "--evaluator", "synthetic", "--trials", 12, "--out", "run")
    assert cli(*command).code == 0
    return command
