import platform
import subprocess
import sys
import textwrap

import pytest

from archsearch.errors import RecipeError
from archsearch.train.tuning import tune_process

FAULTS = """
    import resource, sys, torch
    from archsearch.train.tuning import tune_process
    if sys.argv[1] == "tuned":
        tune_process(1)
        assert torch.get_num_threads() == 1
    def faults():
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    def work():
        for _ in range(5):
            torch.ones(10 << 20)  # 40 MiB, freed at once
    for _ in range(5):
        work()  # the heap finds its size
    before = faults()
    work()
    print(faults() - before)
"""


def faults(kind: str) -> int:
    command = [sys.executable, "-c", textwrap.dedent(FAULTS), kind]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting exists in glibc only")
def test_freed_blocks_are_kept_for_the_next_step():
    assert faults("tuned") * 20 < faults("plain")


@pytest.mark.parametrize("threads", [0, -2])
def test_a_thread_count_below_one_is_refused(threads):
    with pytest.raises(RecipeError, match=f"threads must be at least 1, got {threads}"):
        tune_process(threads)
