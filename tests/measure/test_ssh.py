"""Hosts that cannot be used or are none, and what is quoted on the way there."""

import sys
from pathlib import Path

import pytest

from archsearch.errors import DeviceError
from archsearch.measure.device import Settings
from archsearch.measure.remote import remote_device
from archsearch.measure.ssh import Ssh, remote_word


def test_no_model_is_no_connection(remote):
    assert remote(ssh=("/no/such/ssh",)).measure([], None, anchor=None, effort=None) == ([], 0.0)


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
        remote(**options).fingerprint()
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


def test_a_lost_host_is_told_after_the_patience_asked_for(remote, sshd, tmp_path):
    once_only = tmp_path / "once"
    once_only.write_text(
        f"#!/bin/sh\n[ -e '{tmp_path}/seen' ] && exit 255\ntouch '{tmp_path}/seen'\nexec {' '.join(sshd.ssh)} \"$@\"\n"
    )
    once_only.chmod(0o755)
    with pytest.raises(DeviceError, match="lost loopback .*the same command goes on"):
        remote(ssh=(str(once_only),), patience_s=0.3).fingerprint()


def test_a_command_that_hangs_counts_as_a_broken_connection(remote, tmp_path):
    hangs = tmp_path / "hangs"
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    hangs.chmod(0o755)
    line = Ssh(host="pi", command=(str(hangs),), timeout_s=0.2, patience_s=0.3, pause_s=0.01)
    with pytest.raises(DeviceError, match="cannot reach pi: timed out: no answer in 0 s"):
        line.first(["true"])
    with pytest.raises(DeviceError, match="lost pi .*timed out"):
        line.call(["true"])


def test_a_command_and_a_shared_connection_of_the_configuration_are_passed_over(remote, sshd, tmp_path):
    config = tmp_path / "config"
    config.write_text(f"Host *\n  RemoteCommand false\n  ControlMaster auto\n  ControlPath {tmp_path}/shared\n"
                      + Path(sshd.ssh[-1]).read_text())  # fmt: skip
    assert remote(ssh=(*sshd.ssh[:-1], str(config))).fingerprint()["host"] == "loopback"
    assert not (tmp_path / "shared").exists()


def test_words_for_the_other_shell_are_quoted_but_for_the_home():
    assert remote_word("~/my env/python") == "~/'my env/python'"
    assert remote_word("~") == "'~'"
    assert remote_word("$x;y") == "'$x;y'"
