"""The journal survives what a killed writer leaves behind."""

import json

import pytest

from archsearch.errors import RunError
from archsearch.search import lock
from archsearch.search.ledger import open_journal, repair
from archsearch.search.lock import FileLock, is_alive
from tests.search.conftest import Noting, make_run, story


@pytest.fixture
def run(tmp_path, silent):
    made = make_run(tmp_path / "run", trials=6)
    made.search(Noting(), silent)
    return made


def test_a_cut_last_record_is_dropped_and_the_run_goes_on(run, tmp_path, silent, caplog):
    before = story(run)
    content = run.folder.journal.read_bytes()
    run.folder.journal.write_bytes(content[:-25])
    again = make_run(tmp_path / "run", trials=6)
    again.search(Noting(), silent)
    assert story(again) == before
    assert "unfinished record" in caplog.text
    assert run.folder.journal.with_name("study.journal.cut").stat().st_size > 0


def test_every_cut_in_the_last_records_can_be_repaired(run, tmp_path, silent):
    before = story(run)
    content = run.folder.journal.read_bytes()
    lines = content.splitlines(keepends=True)
    start = len(content) - sum(map(len, lines[-3:]))
    for cut in range(start, len(content), 97):
        run.folder.journal.write_bytes(content[:cut])
        again = make_run(tmp_path / "run", trials=6)
        again.search(Noting(), silent)
        assert story(again) == before


def test_a_living_worker_survives_what_a_killed_one_left_half_written(tmp_path, silent, caplog):
    class Torn(Noting):
        def evaluate(self, arch, job):
            if len(self.evaluated) == 2:
                with journal.open("ab") as file:
                    file.write(b'{"op_code": 4, "worker_id": "abc')
            return super().evaluate(arch, job)

    run = make_run(tmp_path / "run", trials=6)
    journal = run.folder.journal
    assert run.search(Torn(), silent) == "all trials done"
    whole = make_run(tmp_path / "whole", trials=6)
    whole.search(Noting(), silent)
    assert story(make_run(tmp_path / "run", trials=6)) == story(whole)
    assert "unfinished record" in caplog.text


@pytest.mark.parametrize("line", [b"null", b"[1, 2]", b'{"op_code": 99}', b"{}"])
def test_a_line_that_is_no_record_is_damage(run, line):
    run.folder.journal.write_bytes(run.folder.journal.read_bytes() + line + b"\n")
    with pytest.raises(RunError, match="is damaged"):
        open_journal(run.folder.journal)


def test_a_journal_that_is_a_folder_is_told(tmp_path):
    (tmp_path / "study.journal").mkdir()
    with pytest.raises(RunError, match="is a folder"):
        open_journal(tmp_path / "study.journal")


def test_a_missing_last_newline_is_added(run):
    content = run.folder.journal.read_bytes()
    run.folder.journal.write_bytes(content[:-1])
    repair(run.folder.journal)
    assert run.folder.journal.read_bytes() == content


def test_damage_in_the_middle_is_told_with_its_line_and_nothing_is_touched(run):
    lines = run.folder.journal.read_bytes().splitlines(keepends=True)
    lines[4] = b'{"op_code": 4, "worker_\n'
    run.folder.journal.write_bytes(b"".join(lines))
    with pytest.raises(RunError, match="line 5 is damaged"):
        open_journal(run.folder.journal)
    assert run.folder.journal.read_bytes() == b"".join(lines)


def test_a_trial_is_created_by_one_record(run):
    records = [json.loads(line) for line in run.folder.journal.read_text().splitlines()]
    created = [record for record in records if "distributions" in record]
    assert len(created) == 6
    for record in created:
        assert set(record["params"]) == set(record["distributions"])
        assert {"key", "arch", "costs", "worker"} <= set(record["user_attrs"])


def test_optuna_itself_opens_the_journal(run):
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    storage = JournalStorage(JournalFileBackend(str(run.folder.journal)))
    study = optuna.load_study(study_name="archsearch", storage=storage)
    assert len(study.trials) == 6
    assert all(trial.number in [t.number for t in study.trials] for trial in study.best_trials)


def test_a_lock_is_held_by_one_and_free_after(tmp_path):
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.take()
    assert not second.take(wait=False)
    assert is_alive(tmp_path / "lock")
    first.free()
    assert not is_alive(tmp_path / "lock")
    assert second.take(wait=False)
    second.free()
    assert not is_alive(tmp_path / "never")


def test_a_full_disk_while_the_lock_is_taken_leaves_it_free(tmp_path, monkeypatch):
    def full(journal):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lock, "cut_tail", full)
    with pytest.raises(OSError, match="No space left"):
        lock.JournalLock(tmp_path / "study.journal").acquire()
    assert FileLock(tmp_path / "study.journal.flock").take(wait=False)
