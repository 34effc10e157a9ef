"""A real sshd on the loopback, with keys and a client configuration of its own."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin"


@dataclass(frozen=True)
class Loopback:
    """How to reach it: `ssh` is the client's command, `host` its name in that configuration."""

    ssh: tuple[str, ...]
    process: subprocess.Popen
    host: str = "loopback"

    def cut(self) -> int:
        """Kill the server's end of all connections that are open now; how many processes that were."""
        ended = 0
        for pid in _children(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
                ended += 1
            except ProcessLookupError:
                pass
        return ended


@contextmanager
def loopback(folder: Path) -> Iterator[Loopback]:
    """Start sshd; skips where there is none."""
    sshd, ssh = shutil.which("sshd", path=SBIN), shutil.which("ssh")
    if sshd is None or ssh is None:
        pytest.skip("no OpenSSH server and client (Debian: openssh-server)")
    if os.geteuid() == 0:
        try:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd, as root, parts with its privileges
        except OSError as error:
            pytest.skip(f"sshd, as root, needs /run/sshd: {error.strerror}")
    port = _configure(folder)
    with (folder / "sshd.log").open("w") as log:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        _wait(port, process, folder / "sshd.log")
        yield Loopback((ssh, "-F", str(folder / "ssh_config")), process)
    finally:
        process.terminate()
        process.wait(10)


def _configure(folder: Path) -> int:
    """Keys and both configurations; the port."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "authorized_keys").write_text((folder / "user.pub").read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized_keys\n"
        f"PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin prohibit-password\nMaxStartups 100\n"
    )
    common = (  # the key exchange is the fastest, for there are many connections
        f"  KexAlgorithms curve25519-sha256\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n  IdentitiesOnly yes\n"
    )
    accept = f"{common}  StrictHostKeyChecking accept-new\n"
    (folder / "ssh_config").write_text(
        f"Host loopback\n{accept}  IdentityFile {folder}/user\n"
        f"Host keyless\n{accept}  IdentityFile {folder}/absent\n"
        f"Host stranger\n{common.replace('known_hosts', 'other_hosts')}  IdentityFile {folder}/user\n"
        f"Host closed\n  HostName 127.0.0.1\n  Port 1\n"
        f"Host nowhere\n  HostName no-such-host.invalid\n"
    )
    return port


def _wait(port: int, process: subprocess.Popen, log: Path) -> None:
    for _ in range(100):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"sshd does not start: {log.read_text()[-500:]}")


def _children(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(words[1])
    direct = [child for child, parent in parents.items() if parent == pid]
    return direct + [child for child, parent in parents.items() if parent in direct]
