"""Local and remote latencies side by side: what is made of the measurements."""

from archsearch.bench.remote_latency import compare_remote, overlap, pool
from archsearch.measure.method import Effort, Measurement


class Tabled:
    """A device that takes so many times as long as the MAdds say, known within a share."""

    def __init__(self, factor, share):
        self.factor, self.share, self.asked = factor, share, []

    def fingerprint(self):
        return {"device": "tabled"}

    def measure(self, models, reference, *, anchor, effort, seed=0):
        self.asked.append((anchor, seed))
        made = []
        for model in models:
            ms = self.factor * model.madds / 1e6
            low, high = ms * (1 - self.share), ms * (1 + self.share)
            made.append(Measurement(name=model.name, ms=ms, low=low, high=high, raw_ms=ms, q25_ms=ms, q75_ms=ms))
        return made, anchor or 1.5


def compared(factor, share=0.02):
    local, remote = Tabled(1.0, share), Tabled(factor, share)
    names = ("mobilenet_v2_0.35_96", "mobilenet_v2_0.5_128")
    return compare_remote(local, remote, names, rounds=3, effort=Effort()), local, remote


def test_a_host_that_is_as_fast_agrees_and_one_that_is_slower_does_not():
    for factor, agrees in ((1.03, True), (1.06, False)):
        result, _, _ = compared(factor)
        for row in result["networks"]:
            assert row["remote_overlaps"] is agrees
            assert row["remote_rounds"] == 3 * agrees
            assert row["control_overlaps"]
            assert row["control_rounds"] == 3
            assert abs(row["remote_ratio"] - factor) < 1e-9


def test_all_turns_stand_on_the_first_anchor_and_rounds_differ_in_their_order():
    result, local, remote = compared(1.0)
    assert result["anchor_ms"] == 1.5
    assert local.asked == [(None, 0), (1.5, 0), (1.5, 1), (1.5, 1), (1.5, 2), (1.5, 2)]
    assert remote.asked == [(1.5, 0), (1.5, 1), (1.5, 2)]


def test_rounds_are_pooled_by_medians_and_intervals_that_touch_overlap():
    assert pool([(1, 0, 2), (2, 1, 9), (9, 8, 10)]) == (2, 1, 9)
    assert overlap((1, 0, 2), (3, 2, 4))
    assert not overlap((1, 0, 2), (3, 2.1, 4))
