"""A remote device, over a real sshd on the loopback: what comes back, and what breaks on the way."""

import ast
import contextlib
import fcntl
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from archsearch.errors import DeviceError  # noqa: E402
from archsearch.measure.device import Settings  # noqa: E402
from archsearch.measure.local import Local  # noqa: E402
from archsearch.measure.method import Effort  # noqa: E402
from archsearch.measure.model import whole  # noqa: E402
from archsearch.measure.onnxruntime_device import onnxruntime_device  # noqa: E402
from archsearch.measure.remote import Remote, remote_device  # noqa: E402
from archsearch.measure.remote_job import OLDEST, PACKAGE, SHIPPED, UNPACK, tar, tars  # noqa: E402
from archsearch.measure.runner import owner  # noqa: E402
from archsearch.measure.ssh import remote_word  # noqa: E402
from archsearch.spec.presets import read_arch  # noqa: E402
from tests.measure.loopback import loopback  # noqa: E402

NAMES = ("mobilenet_v2_0.1_32", "mobilenet_v2_0.2_64", "mobilenet_v2_0.35_96")
QUICK = Effort(least=3, most=4, warm_ms=50)
LONG = Effort(least=60, most=60, warm_ms=50)  # some tenths of a second a network


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    with loopback(tmp_path_factory.mktemp("sshd")) as made:
        yield made


@pytest.fixture
def remote(sshd, tmp_path):
    """Makes a remote device with a folder of its own."""

    def make(**options):
        settled = {
            "host": sshd.host, "settings": Settings(), "python": sys.executable, "folder": str(tmp_path / "there"),
            "ssh": sshd.ssh, "chunk": 1, "pause_s": 0.05,
        }  # fmt: skip
        return Remote(**(settled | options))

    return make


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
    assert told == onnxruntime_device(Settings()).fingerprint()


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
    device, over, cuts = remote(), threading.Event(), []

    def cut():
        while not over.wait(0.02) and not list(Path(device.folder).glob("job-*/job.json")):
            pass
        for pause_s in (0.0, 0.2, 0.4, 0.8):
            over.wait(pause_s)
            while not over.wait(0.02) and not sshd.cut():
                pass
            cuts.append(not over.is_set())

    kept, thread = Kept(device.folder), threading.Thread(target=cut)
    thread.start()
    try:
        made, _ = device.measure(models(), reference(), anchor=None, effort=LONG, keep=kept)
    finally:
        over.set()
        thread.join()
    assert [each.name for each in made] == list(NAMES)
    once(kept)
    assert any(cuts)


def wait_for_a_result(folder, most_s=60.0):
    """Wait until the first result lies in a folder of the host, which is this machine; its network."""
    for _ in range(int(most_s / 0.01)):
        if any(path.stat().st_size for path in Path(folder).glob("job-*/results.jsonl")) and rows(folder):
            return rows(folder)[0]["measurement"]["name"]
        time.sleep(0.01)
    pytest.fail("no result")


CLIENT = """
import sys
from tests.measure.test_remote import LONG, Remote, Settings, models, reference
host, folder, *ssh = sys.argv[1:]
device = Remote(host=host, settings=Settings(), python=sys.executable, folder=folder, ssh=tuple(ssh), chunk=1)
device.measure(models(), reference(), anchor=None, effort=LONG)
"""


def killed(device):
    """A client that is killed as soon as the first result is there; the name of that."""
    command = [sys.executable, "-c", CLIENT, device.host, device.folder, *device.ssh]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as client:
        name = wait_for_a_result(device.folder)
        client.kill()
    return name


@pytest.mark.slow
def test_a_client_that_was_killed_asks_for_the_rest_and_nothing_is_timed_again(remote):
    device = remote()
    first = killed(device)
    assert first in NAMES
    kept, rest = Kept(device.folder), [name for name in NAMES if name != first]
    made, anchor = device.measure(models(rest), reference(), anchor=2.0, effort=LONG, keep=kept)
    assert [each.name for each in made] == rest
    assert anchor == 2.0
    lines = {row["measurement"]["name"]: row for row in kept.rows}
    assert sorted(lines) == sorted(row["measurement"]["name"] for row in kept.rows) == sorted(NAMES)
    for each in made:
        assert each.ms == pytest.approx(lines[each.name]["measurement"]["ms"] * 2.0 / lines[each.name]["anchor"])


@pytest.mark.slow
def test_a_runner_that_is_killed_goes_on_where_it_was(remote):
    device, pids = remote(), []

    def kill():
        wait_for_a_result(device.folder)
        pids.append(owner(Path(device.folder))["pid"])
        os.kill(pids[0], signal.SIGKILL)

    kept, thread = Kept(device.folder), threading.Thread(target=kill)
    thread.start()
    made, _ = device.measure(models(), reference(), anchor=None, effort=LONG, keep=kept)
    thread.join()
    assert [each.name for each in made] == list(NAMES)
    once(kept)
    assert owner(Path(device.folder))["pid"] != pids[0]


def test_one_job_at_a_time_and_the_other_is_told_how_to_end_the_first(remote):
    device = remote()
    Path(device.folder).mkdir()
    with (Path(device.folder) / f"lock-{platform.node()}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(json.dumps({"pid": 12345, "job": "job-another"}))
        lock.flush()
        with pytest.raises(DeviceError, match=r"timing something else for you; wait .*: kill 12345"):
            device.measure(models(), reference(), anchor=None, effort=QUICK)


def test_a_folder_with_blanks_and_quotes_is_taken_as_it_is(remote, tmp_path):
    folder = tmp_path / """it's "my" $HOME; touch x"""
    device = remote(folder=str(folder), chunk=3)
    made, _ = device.measure(models(), reference(), anchor=None, effort=QUICK)
    assert len(made) == 3
    assert [path.name.split("-")[0] for path in sorted(folder.iterdir())] == ["code", "lock"]


def test_no_model_is_no_connection(remote):
    assert remote(ssh=("/no/such/ssh",)).measure([], reference(), anchor=None, effort=QUICK) == ([], 0.0)


@pytest.mark.parametrize("host", ["", "-oProxyCommand=touch x", "a b", "a\nb", "a;b", "a@-b", "$(x)", "a@", "'"])
def test_what_is_no_host_name_is_refused(host):
    with pytest.raises(DeviceError, match="is no host name"):
        remote_device(host, Settings())


@pytest.mark.parametrize("host", ["pi", "user@pi.local", "user@192.168.1.7", "me@fe80::1%eth0", "ssh://me@pi:2222"])
def test_what_ssh_takes_is_a_host_name(host):
    assert remote_device(host, Settings()).name == f"remote:{host}"


@pytest.mark.parametrize("options", [{"python": "-c"}, {"python": ""}, {"folder": "a\nb"}, {"folder": "-x"}])
def test_strange_words_are_refused(options):
    with pytest.raises(DeviceError, match="of a remote device"):
        remote_device("pi", Settings(), **options)


def test_only_what_onnxruntime_runs_is_asked_for():
    with pytest.raises(DeviceError, match="device remote runs float32, int8, not bfloat16"):
        remote_device("pi", Settings(dtype="bfloat16"))


@pytest.mark.parametrize(("options", "told"), [
    ({"host": "closed"}, "cannot reach closed: .*Connection refused"),
    ({"host": "nowhere"}, "cannot reach nowhere: .*resolve hostname"),
    ({"host": "keyless"}, "keyless lets nobody in without a password, and none are handled here: set up a key"),
    ({"host": "stranger"}, r"the key of stranger is not known yet or has changed: connect once by hand"),
    ({"python": "/no/python3"}, "loopback has no /no/python3 that can be run"),
    ({"ssh": ("/no/such/ssh",)}, "there is no ssh client '/no/such/ssh'"),
    ({"folder": "/proc/nowhere"}, "loopback: .*/proc/nowhere"),
])  # fmt: skip
def test_a_host_that_cannot_be_used_is_told_in_one_line(remote, options, told):
    with pytest.raises(DeviceError, match=told) as error:
        remote(**options).measure(models(), reference(), anchor=None, effort=QUICK)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("lines", "told"), [
    ("sys.version_info = (3, 8, 2)", r"is Python 3\.8\.2; timing there needs 3\.10 or newer"),
    ("sys.path[:] = [each for each in sys.path if 'site-packages' not in each]",
     "lacks numpy and onnxruntime; on it: .* -m pip install onnxruntime"),
])  # fmt: skip
def test_a_python_there_that_will_not_do_is_told_in_one_line(remote, tmp_path, lines, told):
    python = tmp_path / "python3"
    python.write_text(f"""#!{sys.executable}\nimport sys\n{lines}\nsys.argv = sys.argv[1:]\nexec(sys.argv.pop(1))\n""")
    python.chmod(0o755)
    with pytest.raises(DeviceError, match=told):
        remote(python=str(python)).fingerprint()


@pytest.mark.slow
def test_a_runner_that_never_works_is_given_up_and_its_last_words_are_told(remote):
    device = remote()
    device.fingerprint()
    (code,) = Path(device.folder).glob("code-*")
    (code / "archsearch/measure/method.py").write_text("raise SystemExit('broken there')")
    with pytest.raises(DeviceError, match="broken there"):
        device.measure(models(), reference(), anchor=None, effort=QUICK)


@pytest.mark.slow
def test_a_host_that_has_changed_since_the_job_began_is_told(remote):
    device, seen = remote(), []

    def leave(*_):
        seen.extend(Path(device.folder).glob("job-*"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        device.measure(models(), reference(), anchor=None, effort=QUICK, keep=leave)
    with contextlib.suppress(ProcessLookupError):
        os.kill(owner(Path(device.folder))["pid"], signal.SIGKILL)
    (job,) = seen
    (job / "results.jsonl").write_text("")
    kept = json.loads((job / "fingerprint.json").read_text())
    (job / "fingerprint.json").write_text(json.dumps(kept | {"cpu": "another"}))
    with pytest.raises(DeviceError, match=f"the host has changed since this job began .*another.*: remove {job} there"):
        device.measure(models(), reference(), anchor=None, effort=QUICK)


def test_a_lost_host_is_told_after_the_patience_asked_for(remote, sshd, tmp_path):
    once_only = tmp_path / "once"
    once_only.write_text(
        f"#!/bin/sh\n[ -e '{tmp_path}/seen' ] && exit 255\ntouch '{tmp_path}/seen'\nexec {' '.join(sshd.ssh)} \"$@\"\n"
    )
    once_only.chmod(0o755)
    with pytest.raises(DeviceError, match="lost loopback .*the same command goes on"):
        remote(ssh=(str(once_only),), patience_s=0.3).fingerprint()


def test_words_for_the_other_shell_are_quoted_but_for_the_home():
    assert remote_word("~/my env/python") == "~/'my env/python'"
    assert remote_word("~") == "'~'"
    assert remote_word("$x;y") == "'$x;y'"


def test_files_travel_in_streams_of_some_megabytes_each_file_once():
    streams = list(tars(["a", "b", "c"], lambda name: name.encode() * (1 << 24)))
    assert len(streams) == 3
    assert list(tars(["a", "b"], str.encode)) == [tar({"a": b"a", "b": b"b"})]


def test_a_stream_that_breaks_off_leaves_no_file_that_looks_whole(tmp_path):
    stream = tar({"job/a.onnx": b"a" * 5000, "job/b.onnx": b"b" * 50_000})
    done = subprocess.run([sys.executable, "-c", UNPACK, str(tmp_path)], input=stream[:20_000], capture_output=True)
    assert done.returncode != 0
    assert [path.name for path in tmp_path.rglob("*.onnx")] == ["a.onnx"]
