"""Failures and limits of one worker."""

from archsearch.errors import CheckpointError
from archsearch.search.propose import is_first
from archsearch.spec.arch import Arch
from tests.search.conftest import Noting, make_run


def even(arch: Arch) -> bool:
    """Some networks fail, always the same ones."""
    return arch.stages[1].repeats % 2 == 0


def test_a_failed_training_is_a_failed_trial_and_the_run_goes_on(tmp_path, silent):
    evaluator = Noting(fails=even)
    run = make_run(tmp_path / "run", sampler="nsga2", trials=20)
    assert run.search(evaluator, silent) == "all trials done"
    trials = [t for t in run.ledger.trials() if is_first(t)]
    failed = [t for t in trials if t.user_attrs["status"] == "failed"]
    assert failed
    assert len(failed) < len(trials) == 20
    for trial in failed:
        assert trial.state.name == "FAIL"
        assert trial.user_attrs["reason"].startswith("nan: ")
        assert even(Arch.from_dict(trial.user_attrs["arch_json"]))


def test_a_network_that_failed_is_not_trained_again(tmp_path, silent):
    evaluator = Noting(fails=lambda arch: True)
    run = make_run(tmp_path / "run", sampler="nsga2", trials=40, space="nas_bench_macro", budgets={"madds": "15M"})
    run.search(evaluator, silent)
    keys = [key for key, _ in evaluator.evaluated]
    assert len(set(keys)) == len(keys)


def test_a_time_limit_ends_the_search_and_leaves_no_open_trial(tmp_path, silent):
    run = make_run(tmp_path / "run", trials=10_000, timeout=0.5)
    assert run.search(Noting(), silent) == "time limit"
    assert run.ledger.trials()
    assert all(t.state.is_finished() for t in run.ledger.trials())


def test_the_evaluator_is_given_the_trial_time_limit_and_its_own_seed(tmp_path, silent):
    jobs = []

    class Listening(Noting):
        def evaluate(self, arch, job):
            jobs.append(job)
            return super().evaluate(arch, job)

    make_run(tmp_path / "run", trials=4, trial_timeout=12.5).search(Listening(), silent)
    assert [job.time_limit_s for job in jobs] == [12.5] * 4
    assert len({job.seed for job in jobs}) == 4


def test_damaged_checkpoints_of_a_trial_are_thrown_away_and_it_begins_again(tmp_path, silent, caplog):
    class Damaged(Noting):
        def evaluate(self, arch, job):
            if not job.folder.exists() and not self.evaluated:
                job.folder.mkdir(parents=True)
                self.evaluated.append(("damaged", {}))
                raise CheckpointError("last.pt is damaged")
            assert not job.folder.exists()
            return super().evaluate(arch, job)

    run = make_run(tmp_path / "run", trials=2)
    run.search(Damaged(), silent)
    assert [t.user_attrs["status"] for t in run.ledger.trials()] == ["trained"] * 2
    assert "begins again" in caplog.text


def test_checkpoints_of_a_finished_trial_are_deleted(tmp_path, silent):
    class Writing(Noting):
        def evaluate(self, arch, job):
            job.folder.mkdir(parents=True)
            (job.folder / "last.pt").write_bytes(b"weights")
            return super().evaluate(arch, job)

    run = make_run(tmp_path / "run", trials=3)
    run.search(Writing(), silent)
    assert list(run.folder.checkpoints.iterdir()) == []
