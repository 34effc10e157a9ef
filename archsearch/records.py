"""What is kept of a run: its folder, the resolved command (run.toml), the manifest, all written atomically."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from archsearch.errors import RunError
from archsearch.toml import toml_key, toml_value

# What a run's Optuna study is called, and the attributes that search writes and report reads.
STUDY = "archsearch"
OBJECTIVES, BUDGETS, TESTED = "archsearch:objectives", "archsearch:budgets", "archsearch:test:{}"  # of the study
LADDER = "archsearch:ladder"  # of the study: the rungs of the first metric that is minimised, rising
TIMED = "archsearch:latency:{}"  # of the study: how long a trial's network was measured to take
TIMED_ON = "archsearch:timed-on"  # of the study: digest of the device whose measurements count, the one in use
ANCHOR = "archsearch:anchor:{}"  # of the study: what the reference takes on a device that is not the table's [ms]
WANTED = "archsearch:wanted"  # of the study: codes of networks that were asked for by hand
SINCE = "archsearch:since"  # of the study: number of the first trial that the budgets of now could have made
ALL = "archsearch:all"  # of the study: whether its last search ended because every network that fits has been tried
AGAIN = "archsearch:again"  # of a trial, system: its network was trained before and is to be measured once more
GAIN = "archsearch:gain"  # of a trial, system: expected gain of hypervolume of the proposal, as a share of all so far
RUNNING, TRAINED, REPLAYED, OVER, FAILED, SKIPPED, GIVEN = (  # "status" of a trial
    "running", "trained", "replayed", "over_budget", "failed", "skipped", "given",
)  # fmt: skip
WAITING, STOPPED = "waiting", "stopped"  # "status" of a trial at a rung: it may be trained on; it will not be
EPOCHS, UNTIL = "epochs", "until"  # of a trial: epochs trained; of the rung up to which it is being trained
SPENT = "epochs_spent"  # of a trial: epochs of all trials of its run, when it was judged last
SEED = "seed"  # of a trial: the seed of its training, where it is not the one that follows from its number
EXPECTED, EXPECTED_SE = "expected", "expected_se"  # of a stopped trial: the top-1 that all its epochs would have made

PACKAGES = ("archsearch", "torch", "torchvision", "optuna", "numpy", "pandas", "plotly", "fvcore", "scikit-learn")


def stands(attrs: Mapping[str, Any]) -> bool:
    """Whether a trial's attributes tell a result of the run's own: trained here, or given to it and made alike."""
    status = attrs.get("status")
    return status == TRAINED or (status == GIVEN and bool(attrs.get("equal")))


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where the parts of a run lie."""

    root: Path

    @property
    def command(self) -> Path:
        return self.root / "run.toml"

    @property
    def manifest(self) -> Path:
        return self.root / "manifest.json"

    @property
    def journal(self) -> Path:
        return self.root / "study.journal"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def workers(self) -> Path:
        return self.root / "workers"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def latency(self) -> Path:
        return self.root / "latency.json"

    def make(self) -> "RunFolder":
        """Create the folders.

        raises   RunError where that is not possible (read-only, a file in the way)
        """
        try:
            for folder in (self.root, self.checkpoints, self.workers):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.workers / f".write-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise RunError(f"results folder {self.root} cannot be written: {error.strerror or error}") from None
        return self


def latency_file(space: str, device: str, threads: int, batch: int, dtype: str, classes: int | None = None) -> Path:
    """Where the latency table of a space on a device lies, unless another place is named.

    classes  of the networks, where these are others than the space's own
    """
    own = "" if classes is None else f"-c{classes}"
    name = f"{space}{own}-{device}-t{threads}-b{batch}-{dtype}"
    return Path("results") / "latency" / ("".join(c if c.isalnum() or c in "-._@" else "_" for c in name) + ".json")


def write_atomic(path: Path, text: str) -> None:
    """Replace a file's text whole, or not at all.

    raises   RunError where the folder cannot be written, or the text cannot be written as UTF-8
    """
    name = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except (OSError, UnicodeEncodeError) as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from None


def to_toml(values: Mapping[str, Any]) -> str:
    """A TOML document of plain values, lists and tables of plain values; None is left out."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    lines = [f"{toml_key(key)} = {toml_value(value)}" for key, value in plain.items() if value is not None]
    for key, table in values.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{toml_key(key)}]"]
            lines += [f"{toml_key(name)} = {toml_value(value)}" for name, value in table.items() if value is not None]
    return "\n".join(lines) + "\n"


def read_toml(path: Path) -> dict[str, Any]:
    """The values of a TOML file; raises RunError naming it where it is damaged."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RunError(f"{path} cannot be read: {error}") from None


def environment() -> dict[str, Any]:
    """Versions, machine and commit, for the manifest."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
        "argv": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def write_manifest(folder: RunFolder, entries: Mapping[str, Any]) -> None:
    """manifest.json: sorted, indented."""
    write_atomic(folder.manifest, json.dumps(entries, indent=2, sort_keys=True, default=str) + "\n")


def append_manifest(folder: RunFolder, entries: Mapping[str, Any]) -> None:
    """manifest.json of the call that began the run; later calls add what may differ to "resumed"."""
    try:
        manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        manifest = None
    if not isinstance(manifest, dict):
        write_manifest(folder, entries)
        return
    told = {name: entries[name] for name in ("argv", "commit", "cpu", "device", "budgets") if name in entries}
    if manifest.setdefault("resumed", [])[-1:] != [told]:
        manifest["resumed"].append(told)
    write_manifest(folder, manifest)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    """The git commit of the source checkout that is running, with a + where files differ from it; None elsewhere."""
    here = Path(__file__).resolve().parent
    if not (here.parent / ".git").exists():
        return None  # installed, perhaps inside another project's checkout
    try:
        ask = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
        done = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
