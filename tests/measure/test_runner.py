"""A job on the host of a remote device: when it goes on, when it begins anew, whose it is, when it is removed."""

import contextlib
import fcntl
import json
import os
import platform
import signal
import threading
import time
from pathlib import Path

import pytest

from archsearch.errors import DeviceError
from archsearch.measure import remote_job, runner
from archsearch.measure.device import Settings
from archsearch.measure.remote import Remote
from archsearch.measure.remote_job import Job
from archsearch.measure.runner import owner
from tests.measure.test_remote import LONG, QUICK, models, reference, wait_for


def left(device, effort=QUICK):
    """A measurement that its client leaves at the first result, run to its end on the host; its folder."""

    def leave(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        device.measure(models(), reference(), anchor=None, effort=effort, keep=leave)
    (job,) = Path(device.folder).glob("job-*")
    wait_for(lambda: not runner._works(job), threading.Event())
    return job


def marked(job):
    """Give results that cannot have been measured."""
    lines = [json.loads(line) for line in (job / "results.jsonl").read_text().splitlines()]
    for line in lines:
        line["measurement"]["ms"] = 12345.0 * line["anchor"]
    (job / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return len(lines)


def old(path, age_s):
    os.utime(path, (time.time() - age_s,) * 2)


@pytest.mark.slow
@pytest.mark.parametrize(("delivered", "age_s", "anew"), [
    (False, 0, False), (False, runner.FRESH_S + 60, True), (True, 0, True)])  # fmt: skip
def test_results_go_on_unless_they_are_old_or_were_handed_over(remote, delivered, age_s, anew):
    device = remote(chunk=3)
    job = left(device)
    assert marked(job) == 3
    assert (job / "delivered").exists()  # was noted before the last result was told
    if not delivered:
        (job / "delivered").unlink()
    old(job / "results.jsonl", age_s)
    made, _ = device.measure(models(), reference(), anchor=1.0, effort=QUICK)
    assert [each.ms != pytest.approx(12345.0) for each in made] == 3 * [anew]  # scaled by the anchor and back
    assert not job.exists()


@pytest.mark.slow
def test_a_second_command_that_asks_for_the_same_is_refused_while_the_first_is_there(remote):
    device = remote()
    job = left(device)
    (job / "client.json").write_text(json.dumps({"client": str(os.getppid())}))
    with pytest.raises(DeviceError, match=f"process {os.getppid()} here is waiting for this measurement on loopback"):
        device.measure(models(), reference(), anchor=None, effort=QUICK)
    old(job / "client.json", runner.ALIVE_S + 60)
    assert len(device.measure(models(), reference(), anchor=None, effort=QUICK)[0]) == 3


def test_a_command_whose_job_another_has_taken_over_ends(remote, monkeypatch):
    device = remote()
    take = Remote._start

    def taken(self, place, *words, **options):
        take(self, place, *words, **options)
        (Path(place.path(place.job)) / "client.json").write_text('{"client": "0"}')

    monkeypatch.setattr(Remote, "_start", taken)
    with pytest.raises(DeviceError, match="another command of yours has taken this measurement over"):
        device.measure(models(), reference(), anchor=None, effort=LONG)
    with contextlib.suppress(ProcessLookupError):
        os.kill(owner(Path(device.folder))["pid"], signal.SIGKILL)


def test_users_and_machines_have_jobs_of_their_own():
    told = {"host": "pi", "settings": Settings(), "effort": QUICK, "seed": 0, "reference": reference()}
    names = {Job(client=client, **told).name for client in ("laptop 1000", "laptop 1001", "desk 1000", "desk 1000")}
    assert len(names) == 3


def test_a_job_that_nobody_came_back_for_is_removed(remote):
    device = remote(chunk=3)
    for name, age_s in (("job-old", runner.ABANDONED_S + 60), ("job-young", runner.ABANDONED_S / 2)):
        job = Path(device.folder) / name
        job.mkdir(parents=True)
        (job / "a.onnx").touch()
        for path in (job / "a.onnx", job):
            old(path, age_s)
    device.measure(models(), reference(), anchor=None, effort=QUICK)
    assert [path.name for path in Path(device.folder).glob("job-*")] == ["job-young"]


def test_copying_gives_signs_of_life(remote, monkeypatch):
    device, told = remote(chunk=3), []
    device.fingerprint()  # copies the runner's files
    monkeypatch.setattr(remote_job, "BATCH", 1)
    device.measure(models(), reference(), anchor=None, effort=QUICK, tell=lambda *each: told.append(each))
    assert told[:4] == 4 * [(0, 3)]
    assert told[-1] == (3, 3)


@pytest.mark.slow
def test_a_host_that_has_changed_since_the_job_began_is_told(remote):
    device = remote()
    job = left(device)
    (job / "delivered").unlink(missing_ok=True)
    (job / "results.jsonl").write_text("")
    kept = json.loads((job / "fingerprint.json").read_text())
    (job / "fingerprint.json").write_text(json.dumps(kept | {"cpu": "another"}))
    with pytest.raises(DeviceError, match=f"the host has changed since this job began .*another.*: remove {job} there"):
        device.measure(models(), reference(), anchor=None, effort=QUICK)


def test_one_job_at_a_time_and_the_other_is_told_how_to_end_the_first(remote):
    device = remote()
    Path(device.folder).mkdir()
    with (Path(device.folder) / f"lock-{platform.node()}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(json.dumps({"pid": 12345, "job": "job-another"}))
        lock.flush()
        with pytest.raises(DeviceError, match=r"timing something else for you; wait .*: kill 12345"):
            device.measure(models(), reference(), anchor=None, effort=QUICK)
