"""HTML that cannot be broken by a name: text is escaped unless it was made here."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *children: Any, **attributes: Any) -> Markup:
    """One element. Children that are not `Markup` are escaped, and so is every attribute's value.

    `class_` and `for_` stand for the words that Python keeps to itself; `_` in a name is `-` in HTML.
    """
    opened = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(str(v))}"' for key, v in attributes.items())
    return Markup(f"<{name}{opened}>{join(children)}</{name}>")


def join(children: Iterable[Any], between: str = "") -> Markup:
    """Children side by side; each escaped unless it is `Markup`."""
    return Markup(
        escape(between).join(child if isinstance(child, Markup) else escape(str(child)) for child in children)
    )


def table(head: Sequence[str], rows: Sequence[Markup], kind: str) -> Markup:
    """A table that scrolls sideways where it is wider than the screen."""
    top = tag("thead", tag("tr", *(tag("th", word) for word in head)))
    return tag("div", tag("table", top, tag("tbody", *rows), class_=kind), class_="scroll")
