"""Commands on another machine through the user's own ssh client; what a dropped connection cut is asked again.

No password is ever asked for or passed on: keys, ports, jump hosts and names are those of the user's configuration.
The user's shell on the host must be a POSIX one (sh, bash, zsh, dash): what is quoted for it means the same to fish,
mostly, and not to csh.
"""

import json
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from archsearch.errors import DeviceError
from archsearch.measure.runner import MARK

HOST = re.compile(r"(?!-)[\w.:@%+/\[\]-]+(?<!@)")  # what OpenSSH takes as a destination, without a shell's characters
OPTIONS = (
    "-T", "-o", "BatchMode=yes",  # no terminal, no questions
    "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4",  # a dead line is noticed
    "-o", "ClearAllForwardings=yes",  # ports that the configuration forwards are for people,
    "-o", "RemoteCommand=none",  # and so is a command that it names
    "-o", "ControlPath=none",  # a connection of its own: one that is shared breaks for all, and may be stuck
)  # fmt: skip
FINAL = re.compile("Permission denied|verification failed|resolve hostname|refused|No route|unreachable|timed out")
FIRST_TRIES = 3  # where ssh says nothing of that kind
LONGEST_PAUSE_S = 30.0
SLOWEST = 10_000  # bytes a second of a line on which something still arrives


class Dropped(Exception):
    """The connection ended before an answer was there."""

    def __init__(self, told: str, *, spent_s: float = 0.0) -> None:
        super().__init__(told)
        self.spent_s = spent_s  # in which nothing was heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """A host, and how it is reached; raises DeviceError for a name that is none."""

    host: str  # user@host, or a name of the user's ssh configuration
    command: tuple[str, ...] = ("ssh",)  # its options come before ours, and ssh takes the first that it is told
    patience_s: float = 600.0  # without any answer, until a host counts as lost
    pause_s: float = 1.0  # before the first new try; doubled from try to try
    timeout_s: float = 120.0  # of one command, beside what its input takes; then the connection counts as dropped
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if not HOST.fullmatch(self.host) or "@-" in self.host:
            raise DeviceError(f"{self.host!r} is no host name: give user@host or a name of your ssh configuration")

    def first(self, words: Sequence[str]) -> dict[str, Any]:
        """The answer of the first command; raises DeviceError that says why a host cannot be used, without patience."""
        told = ""
        for _ in range(FIRST_TRIES):
            try:
                return self._once(words, b"")
            except Dropped as error:
                told = str(error)
            if FINAL.search(told):
                break
            self.sleep(self.pause_s)
        raise DeviceError(self._why(told))

    def call(self, words: Sequence[str], stdin: bytes = b"") -> dict[str, Any]:
        """The answer of a command, which must be one that may be run twice; raises DeviceError for a lost host."""
        pause, waited = self.pause_s, 0.0
        while True:
            try:
                return self._once(words, stdin)
            except Dropped as error:
                waited += error.spent_s
                if waited >= self.patience_s:
                    raise DeviceError(
                        f"lost {self.host} ({error}); what was measured is kept there: the same command goes on"
                    ) from None
            self.sleep(pause)
            waited += pause
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _once(self, words: Sequence[str], stdin: bytes) -> dict[str, Any]:
        made = self._ran([*self.command, *OPTIONS, "--", self.host, " ".join(map(remote_word, words))], stdin)
        answer = _answer(made.stdout)
        if made.returncode == 0 and answer is not None:
            return answer
        told = _last(made.stderr) or f"ssh ended with {made.returncode} and no answer"
        if made.returncode in (126, 127):
            raise DeviceError(f"{self.host} has no {words[0]} that can be run: {told}")
        if 0 < made.returncode < 128:  # the command's own; 255 is ssh's, below 0 a signal
            raise DeviceError(f"{self.host}: {told}")
        raise Dropped(told)

    def _ran(self, command: Sequence[str], stdin: bytes) -> "subprocess.CompletedProcess[bytes]":
        """The ssh client, to its end."""
        limit_s = self.timeout_s + len(stdin) / SLOWEST
        try:
            return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise Dropped(f"timed out: no answer in {limit_s:.0f} s", spent_s=limit_s) from None
        except FileNotFoundError:
            raise DeviceError(
                f"there is no ssh client {self.command[0]!r}: install one (Debian: openssh-client)"
            ) from None
        except PermissionError as error:
            raise DeviceError(f"cannot run the ssh client {self.command[0]!r}: {error.strerror}") from None

    def _why(self, told: str) -> str:
        """Why a host cannot be used, by what ssh said."""
        if "Permission denied" in told:
            return f"{self.host} lets nobody in without a password, and none are handled here: set up a key ({told})"
        if "Host key verification failed" in told:
            return f"the key of {self.host} is not known yet or has changed: connect once by hand (ssh {self.host})"
        return f"cannot reach {self.host}: {told}"


def remote_word(word: str) -> str:
    """A word quoted for the shell on the other side; a leading ~/ keeps its meaning."""
    return f"~/{quote(word[2:])}" if word.startswith("~/") and len(word) > 2 else quote(word)


def _answer(stdout: bytes) -> dict[str, Any] | None:
    """The marked line among what a command printed; None where it is absent or cut."""
    for line in stdout.decode(errors="replace").splitlines():
        if line.startswith(MARK):
            try:
                return dict(json.loads(line.removeprefix(MARK)))
            except json.JSONDecodeError:
                return None
    return None


def _last(stderr: bytes) -> str:
    """The last line of what went to stderr."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
