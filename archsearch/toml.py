"""Values and keys as TOML text; the standard library only reads it."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any


def toml_value(value: Any) -> str:
    """A value: TOML's strings, numbers and booleans are JSON's, but for infinity, NaN and DEL; a table is inline."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml_key(key)} = {toml_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(name: str) -> str:
    """A key: bare where that is allowed, else quoted."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)
