"""What all checks share: a small space, and how a broken promise is told."""

SPACE = {  # 216 networks of some 100 k MAdds
    "resolution": [8, 12],
    "classes": 3,
    "stem": {"width": 8, "stride": 1},
    "head": {"width": 16},
    "stage": [
        {"width": [8, 16], "kernel": [3, 5, 7], "expand": [1, 2, 3]},
        {"width": 16, "stride": 2, "repeats": [1, 2, 3], "block": ["ir", "ds"]},
    ],
}


def hold(true: bool, told: str) -> None:
    if not true:
        raise AssertionError(told)
