"""HTML from untrusted text."""

from hypothesis import given
from hypothesis import strategies as st

from archsearch.report.markup import Markup, tag


@given(st.text(), st.text())
def test_text_and_attributes_never_open_an_element_or_leave_their_quotes(text, value):
    made = tag("p", text, title=value)
    inner = made.removeprefix("<p title=").removesuffix("</p>")
    assert inner.count('"') == 2
    assert "<" not in inner
    assert inner.count(">") == 1


def test_markup_made_here_is_kept():
    assert tag("p", tag("b", "a<b")) == "<p><b>a&lt;b</b></p>"


def test_names_with_underscores_become_attributes_of_html():
    assert tag("div", class_="x", aria_label="y") == '<div class="x" aria-label="y"></div>'
    assert isinstance(tag("div"), Markup)
