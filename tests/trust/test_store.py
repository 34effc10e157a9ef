"""The journal and the claims: nothing lost, nothing twice, damage told."""

import json
import multiprocessing
import os
import signal

import pytest

from archsearch.errors import RunError
from archsearch.trust.store import Claims, Journal, share

SPAWN = multiprocessing.get_context("spawn")


def test_rows_are_read_by_every_holder_of_the_file(tmp_path):
    first, second = Journal(tmp_path / "a.jsonl"), Journal(tmp_path / "a.jsonl")
    assert first.rows() == []
    first.add({"a": 1}, {"a": 2})
    assert second.rows() == [{"a": 1}, {"a": 2}]
    second.add({"a": 3})
    assert first.rows() == [{"a": 1}, {"a": 2}, {"a": 3}]


@pytest.mark.parametrize("cut", [1, 3, 8])
def test_an_unfinished_last_line_is_not_read_and_is_cut_by_the_next_writer(tmp_path, cut):
    path = tmp_path / "a.jsonl"
    whole = b'{"a": 1}\n'
    path.write_bytes(whole + b'{"a": 2}'[:cut])
    journal = Journal(path)
    assert journal.rows() == [{"a": 1}]
    journal.add({"a": 3})
    assert journal.rows() == [{"a": 1}, {"a": 3}]
    assert (tmp_path / "a.jsonl.cut").read_bytes() == b'{"a": 2}'[:cut]


@pytest.mark.parametrize("line", [b"{", b"[1]", b"\xff"])
def test_a_damaged_line_is_named(tmp_path, line):
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
    with pytest.raises(RunError, match="a.jsonl line 2 is damaged"):
        Journal(tmp_path / "a.jsonl").rows()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(RunError, match="cannot be written"):
        Journal(tmp_path / "no" / "a.jsonl").add({})
    with pytest.raises(RunError, match="cannot be opened"):
        Claims(tmp_path / "no" / "claims")


def _hold(path, ready, done):
    with Claims(path).claim("a") as ours:
        ready.put(ours)
        done.wait(30)


def test_a_claim_is_one_process_s_until_it_dies(tmp_path):
    ready, done = SPAWN.Queue(), SPAWN.Event()
    other = SPAWN.Process(target=_hold, args=(tmp_path / "c", ready, done))
    other.start()
    assert ready.get(timeout=30)
    mine = Claims(tmp_path / "c")
    with mine.claim("a") as a, mine.claim("b") as b:
        assert (a, b) == (False, True)
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    with mine.claim("a") as a:
        assert a
    mine.close()


def _work(folder, name):
    journal, claims = Journal(folder / "done.jsonl"), Claims(folder / "claims")
    share([str(i) for i in range(40)], claims, done=lambda: [row["job"] for row in journal.rows()],
          do=lambda job: journal.add({"job": job, "by": name}), wait=lambda: None)  # fmt: skip


def test_two_processes_do_every_job_once(tmp_path):
    workers = [SPAWN.Process(target=_work, args=(tmp_path, name)) for name in "ab"]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    rows = [json.loads(line) for line in (tmp_path / "done.jsonl").read_text().splitlines()]
    assert sorted(int(row["job"]) for row in rows) == list(range(40))


def test_what_another_process_leaves_undone_is_taken_over(tmp_path, monkeypatch):
    claims, done, asked = Claims(tmp_path / "c"), [], []
    real, busy = claims.claim, {"a": 2}

    def claim(name):
        if busy.get(name):
            busy[name] -= 1
            return real_but(False)
        return real(name)

    class real_but:
        def __init__(self, ours):
            self.ours = ours

        def __enter__(self):
            return self.ours

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(claims, "claim", claim)
    share(["a", "b"], claims, done=lambda: done, do=done.append, wait=lambda: asked.append(1))
    assert (done, len(asked)) == (["b", "a"], 2)
