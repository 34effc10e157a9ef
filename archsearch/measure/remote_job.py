"""What is copied to a host, and what its jobs are called there: the runner's files, ONNX files, names from hashes.

The runner is the files of this package that time everything here, too: the method is written once.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import archsearch
from archsearch.measure.device import Settings
from archsearch.measure.method import Effort
from archsearch.measure.model import Model
from archsearch.measure.runner import MARK

PACKAGE = Path(archsearch.__file__).parent
SHIPPED = tuple(f"measure/{name}.py" for name in (
    "fingerprint", "method", "ort_session", "pinning", "runner", "stats"))  # fmt: skip
WRITERS = ("export/graph.py", "measure/onnxruntime_device.py", "measure/ort_int8.py")  # say what an ONNX file holds
BATCH = 1 << 24  # bytes of files that one connection carries
OLDEST = (3, 10)  # Python: dataclasses with slots, unions with |

ENTRY = "run.py"  # of the runner; shipped last, so that where it lies all of them do
ENTRY_TEXT = """import os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # before an archsearch that is installed there
from archsearch.measure.runner import main
main(sys.argv[1:])
"""
# Any Python must understand this: it says which one is there, what it lacks, and which files are there already.
PROBE = f"""
import sys
sys.path = [each for each in sys.path if each]
import json, os
folder, code, job = sys.argv[1:]
folder = os.path.abspath(os.path.expanduser(folder))
told = dict(python=sys.version_info[:3], folder=folder, packages=dict(), files=[])
if sys.version_info >= (3, 4):
    from importlib.util import find_spec
    told["packages"] = dict((name, find_spec(name) is not None) for name in ("numpy", "onnxruntime"))
told["code"] = os.path.exists(os.path.join(folder, code, "{ENTRY}"))
if os.path.isdir(os.path.join(folder, job)):
    told["files"] = os.listdir(os.path.join(folder, job))
print("{MARK}" + json.dumps(told))
"""
# Takes a tar stream; a file is there whole or not at all.
UNPACK = f"""
import sys
sys.path = [each for each in sys.path if each]
import os, shutil, tarfile
folder = sys.argv[1]
os.makedirs(folder, mode=0o700, exist_ok=True)
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as tar:
    for member in tar:
        path = os.path.join(folder, member.name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        part = path + ".%d.part" % os.getpid()
        with open(part, "wb") as out:
            shutil.copyfileobj(tar.extractfile(member), out)
        if os.path.getsize(part) != member.size:
            sys.exit("the stream was cut")
        os.replace(part, path)
print("{MARK}" + "{{}}")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a host is asked to time; calls of one user that share all but the candidates share a folder and results."""

    host: str
    client: str  # whose it is: this machine and its user
    settings: Settings
    effort: Effort
    seed: int
    reference: Model

    @property
    def name(self) -> str:
        """Of its folder."""
        told = {"settings": self.settings.to_dict(), "effort": asdict(self.effort), "seed": self.seed}
        sources = digest(*(_source(file) for file in (*SHIPPED, *WRITERS)))
        return f"job-{digest(self.host, self.client, sources, json.dumps(told, sort_keys=True), key(self.reference))}"

    def wanted(self, models: Sequence[Model], anchor: float | None, chunk: int) -> dict[str, Any]:
        """The text of job.json, in the order in which candidates are to be timed."""
        return {
            "settings": self.settings.to_dict(), "effort": asdict(self.effort), "seed": self.seed, "anchor": anchor,
            "chunk": chunk, "reference": _entry(self.reference), "candidates": [_entry(model) for model in models],
        }  # fmt: skip


def key(model: Model) -> str:
    """A model's name on the host: a hash of what it is called here and of its ops."""
    return digest(model.name, repr(model.ops), repr(model.inputs))


def file_of(model: Model) -> str:
    """The name of its ONNX file there."""
    return f"{key(model)}.onnx"


def _entry(model: Model) -> dict[str, str]:
    return {"name": model.name, "key": key(model), "file": file_of(model)}


def digest(*parts: str) -> str:
    """16 digits of a hash."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def code_name() -> str:
    """The folder of the runner's files there."""
    return f"code-{digest(ENTRY_TEXT, *(_source(file) for file in SHIPPED))}"


def code_files(folder: str) -> dict[str, bytes]:
    """The runner's files, by where they go."""
    texts = {"archsearch/__init__.py": "", "archsearch/measure/__init__.py": ""}
    texts |= {f"archsearch/{file}": _source(file) for file in SHIPPED}
    return {f"{folder}/{name}": text.encode() for name, text in (texts | {ENTRY: ENTRY_TEXT}).items()}


def tars(names: Sequence[str], content: Callable[[str], bytes]) -> Iterator[bytes]:
    """Files as tar streams of some MB; a file's content is asked for when its turn comes."""
    batch: dict[str, bytes] = {}
    for name in names:
        batch[name] = content(name)
        if sum(map(len, batch.values())) >= BATCH:
            yield tar(batch)
            batch = {}
    if batch:
        yield tar(batch)


def tar(files: Mapping[str, bytes]) -> bytes:
    """Some files as one tar stream."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as out:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            out.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _source(file: str) -> str:
    path = PACKAGE / file
    return path.read_text(encoding="utf-8") if path.exists() else ""
