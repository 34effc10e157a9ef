"""Opening a run's folder."""

import pytest

from archsearch.errors import RunError
from archsearch.report.open import open_run


def test_a_run_opens_with_its_study_command_and_manifest(run_dir):
    study, run, manifest = open_run(run_dir)
    assert len(study.trials) == 60
    assert run["space"] == "mobilenet_v2_small"
    assert manifest["dataset"]["name"] == "digits"


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(RunError, match="nowhere: the folder does not exist"):
        open_run(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["run.toml", "manifest.json", "study.journal"])
def test_what_a_folder_lacks_to_be_a_run_is_named_and_nothing_is_made_there(run_dir, name):
    (run_dir / name).unlink()
    before = sorted(run_dir.iterdir())
    with pytest.raises(RunError, match=f"it has no {name}"):
        open_run(run_dir)
    assert sorted(run_dir.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("run.toml", "space = "),
        ("manifest.json", "{"),
        ("manifest.json", "[1]"),
        ("study.journal", "not json\nat all\n"),
        ("study.journal", ""),
    ],
)
def test_a_damaged_file_is_one_line_that_names_it(run_dir, name, text):
    (run_dir / name).write_text(text)
    with pytest.raises(RunError) as caught:
        open_run(run_dir)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_journal_whose_last_line_was_cut_by_a_crash_still_opens(run_dir):
    journal = run_dir / "study.journal"
    journal.write_text(journal.read_text()[:-20])
    assert len(open_run(run_dir)[0].trials) > 50


def test_a_run_kept_in_another_storage_is_read_from_there(run_dir, make):
    url = f"sqlite:///{run_dir / 'elsewhere.db'}"
    make.filled(3, storage=url)
    (run_dir / "study.journal").unlink()
    (run_dir / "run.toml").write_text(f'storage = "{url}"\n')
    assert len(open_run(run_dir)[0].trials) == 3
