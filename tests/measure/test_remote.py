"""A remote device, over a real sshd on the loopback: what comes back, and what breaks on the way."""

import ast
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from archsearch.errors import DeviceError
from archsearch.measure.device import Settings
from archsearch.measure.local import Local
from archsearch.measure.method import Effort
from archsearch.measure.model import whole
from archsearch.measure.onnxruntime_device import onnxruntime_device
from archsearch.measure.pick import pick
from archsearch.measure.remote_job import OLDEST, PACKAGE, SHIPPED, UNPACK, tar, tars
from archsearch.measure.runner import owner
from archsearch.spec.presets import read_arch

NAMES = ("mobilenet_v2_0.1_32", "mobilenet_v2_0.2_64", "mobilenet_v2_0.35_96")
QUICK = Effort(least=3, most=4, warm_ms=50)
LONG = Effort(least=200, most=200, warm_ms=50)  # seconds a network: longer than it takes to be killed
WAIT_S = 120.0  # for what must happen, on a machine that has little time


def models(names=NAMES):
    return [whole(read_arch(name), name) for name in names]


def reference():
    return whole(read_arch("mobilenet_v2_0.35_64"), "reference")


class Kept:
    """What has arrived, and the results as they lay on the host when the last of them did."""

    def __init__(self, folder):
        self.folder, self.names, self.rows = Path(folder), [], []

    def __call__(self, made, anchor):
        self.names.append(made.name)
        self.rows = rows(self.folder)


def rows(folder):
    (file,) = Path(folder).glob("job-*/results.jsonl")
    text = file.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def once(kept):
    """Whether each network has arrived once, and was timed once."""
    assert sorted(kept.names) == sorted(NAMES)
    assert sorted(row["measurement"]["name"] for row in kept.rows) == sorted(NAMES)


def test_networks_are_timed_there_as_here(remote):
    device, logs = remote(chunk=3), []
    made, anchor = device.measure(models(), reference(), anchor=None, effort=QUICK, keep=lambda *_: logs.extend(
        path.read_text() for path in Path(device.folder).glob("job-*/log")))  # fmt: skip
    assert [each.name for each in made] == list(NAMES)
    assert all(each.low <= each.ms <= each.high and each.visits >= 3 for each in made)
    here, _ = Local(device=onnxruntime_device(Settings())).measure(models(), reference(), anchor=anchor, effort=QUICK)
    assert all(0.2 < there.ms / near.ms < 5 for there, near in zip(made, here, strict=True))
    assert not list(Path(device.folder).glob("job-*"))  # what has arrived is removed
    assert f"{device.folder}/code-" in logs[0]  # the runner is the copied files,
    assert str(PACKAGE) not in logs[0]  # not the archsearch that is installed


def test_the_fingerprint_is_the_hosts_and_like_a_local_one(remote):
    told = remote().fingerprint()
    place = {"device": f"remote:loopback,python={sys.executable}", "host": "loopback"}  # as it is asked for
    assert told == onnxruntime_device(Settings()).fingerprint() | place
    again = pick(told["device"], Settings())
    assert (again.host, again.python) == ("loopback", sys.executable)


def test_copied_files_need_only_the_standard_library_numpy_and_onnxruntime():
    allowed = {*sys.stdlib_module_names, "numpy", "onnxruntime"}
    for file in SHIPPED:
        tree = ast.parse((PACKAGE / file).read_text(), feature_version=OLDEST)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("archsearch"):
                assert node.module.replace("archsearch.", "").replace(".", "/") + ".py" in SHIPPED
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
                assert {name.split(".")[0] for name in names} <= allowed


@pytest.mark.slow
def test_every_second_connection_breaks_and_nothing_is_lost(remote, sshd, tmp_path):
    """Half of the broken ones before the command has run, half of them after that, before its answer is there."""
    flaky, count = tmp_path / "flaky", tmp_path / "count"
    flaky.write_text(
        f"""#!/bin/sh
echo >> '{count}'
case $(( $(wc -l < '{count}') % 4 )) in
1) exit 255 ;;
3) {" ".join(sshd.ssh)} "$@" > '{tmp_path}/unheard'; exit 255 ;;
esac
exec {" ".join(sshd.ssh)} "$@"
"""
    )
    flaky.chmod(0o755)
    device = remote(ssh=(str(flaky),))
    kept = Kept(device.folder)
    made, _ = device.measure(models(), reference(), anchor=None, effort=QUICK, keep=kept)
    assert [each.name for each in made] == list(NAMES)
    once(kept)
    assert len(count.read_text()) > 6


@pytest.mark.slow
def test_connections_that_the_server_ends_in_the_middle_lose_nothing(remote, sshd):
    device, cuts = remote(), []

    def cut(over):
        while not over.wait(0.02) and not list(Path(device.folder).glob("job-*/job.json")):
            pass
        for pause_s in (0.0, 0.2, 0.4, 0.8):
            over.wait(pause_s)
            while not over.wait(0.02) and not sshd.cut():
                pass
            cuts.append(not over.is_set())

    kept = Kept(device.folder)
    with meanwhile(cut):
        made, _ = device.measure(models(), reference(), anchor=None, effort=LONG, keep=kept)
    assert [each.name for each in made] == list(NAMES)
    once(kept)
    assert any(cuts)


@contextlib.contextmanager
def meanwhile(act):
    """`act(over)` in a thread; what goes wrong there is raised here, once that has come to its end, too."""
    over, errors = threading.Event(), []

    def run():
        try:
            act(over)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert errors == []


def result(folder):
    """The network of the first result that lies in a folder of the host, which is this machine; None as yet."""
    for path in Path(folder).glob("job-*/results.jsonl"):
        with contextlib.suppress(FileNotFoundError):
            if line := path.read_text().partition("\n"):
                return json.loads(line[0])["measurement"]["name"] if line[1] else None
    return None


def wait_for(found, over):
    """Wait until something is found, or the work is over; what was found."""
    until = time.monotonic() + WAIT_S
    while not (seen := found()) and not over.wait(0.01):
        assert time.monotonic() < until, "nothing happens"
    return seen


CLIENT = """
import sys
from archsearch.measure.remote import Remote
from tests.measure.test_remote import LONG, Settings, models, reference
host, folder, *ssh = sys.argv[1:]
device = Remote(host=host, settings=Settings(), python=sys.executable, folder=folder, ssh=tuple(ssh), chunk=1)
device.measure(models(), reference(), anchor=None, effort=LONG)
"""


def killed(device):
    """A client that is killed as soon as the first result is there; the name of that."""
    command = [sys.executable, "-c", CLIENT, device.host, device.folder, *device.ssh]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as client:
        name = wait_for(lambda: result(device.folder), threading.Event())
        client.kill()
    return name


@pytest.mark.slow
def test_a_client_that_was_killed_asks_for_the_rest_and_nothing_is_timed_again(remote):
    device = remote()
    first = killed(device)
    assert first in NAMES
    for mark in Path(device.folder).glob("job-*/delivered"):  # on a machine so slow that it was over
        mark.unlink()
    over = not list(Path(device.folder).glob("job-*"))
    kept, rest = Kept(device.folder), [name for name in NAMES if name != first]
    made, anchor = device.measure(models(rest), reference(), anchor=2.0, effort=LONG, keep=kept)
    assert [each.name for each in made] == rest
    assert anchor == 2.0
    lines = {row["measurement"]["name"]: row for row in kept.rows}
    assert sorted(lines) == sorted(row["measurement"]["name"] for row in kept.rows) == sorted(rest if over else NAMES)
    for each in made:
        assert each.ms == pytest.approx(lines[each.name]["measurement"]["ms"] * 2.0 / lines[each.name]["anchor"])


@pytest.mark.slow
def test_a_runner_that_is_killed_goes_on_where_it_was(remote):
    device, pids = remote(), []

    def kill(over):
        if wait_for(lambda: result(device.folder), over):
            pid = owner(Path(device.folder))["pid"]
            with contextlib.suppress(ProcessLookupError):  # it was at its end
                os.kill(pid, signal.SIGKILL)
                pids.append(pid)

    kept = Kept(device.folder)
    with meanwhile(kill):
        made, _ = device.measure(models(), reference(), anchor=None, effort=LONG, keep=kept)
    assert [each.name for each in made] == list(NAMES)
    once(kept)
    assert owner(Path(device.folder))["pid"] not in pids


def test_a_folder_with_blanks_and_quotes_is_taken_as_it_is(remote, tmp_path):
    folder = tmp_path / """it's "my" $HOME; touch x"""
    device = remote(folder=str(folder), chunk=3)
    made, _ = device.measure(models(), reference(), anchor=None, effort=QUICK)
    assert len(made) == 3
    assert [path.name.split("-")[0] for path in sorted(folder.iterdir())] == ["code", "lock"]


@pytest.mark.slow
def test_a_runner_that_never_works_is_given_up_and_its_last_words_are_told(remote):
    device = remote()
    device.fingerprint()
    (code,) = Path(device.folder).glob("code-*")
    (code / "archsearch/measure/method.py").write_text("raise SystemExit('broken there')")
    with pytest.raises(DeviceError, match="broken there"):
        device.measure(models(), reference(), anchor=None, effort=QUICK)


def test_files_travel_in_streams_of_some_megabytes_each_file_once():
    streams = list(tars(["a", "b", "c"], lambda name: name.encode() * (1 << 24)))
    assert len(streams) == 3
    assert list(tars(["a", "b"], str.encode)) == [tar({"a": b"a", "b": b"b"})]


def test_a_stream_that_breaks_off_leaves_no_file_that_looks_whole(tmp_path):
    stream = tar({"job/a.onnx": b"a" * 5000, "job/b.onnx": b"b" * 50_000})
    done = subprocess.run([sys.executable, "-c", UNPACK, str(tmp_path)], input=stream[:20_000], capture_output=True)
    assert done.returncode != 0
    assert [path.name for path in tmp_path.rglob("*.onnx")] == ["a.onnx"]
