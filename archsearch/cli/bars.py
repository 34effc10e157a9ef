"""Progress bars on stderr, on a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def bar(log: Console, title: str) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on a terminal (nothing elsewhere): call it with (done, total, text)."""
    with bars(log) as shown:
        task = shown.add_task(title, total=None, text="")
        yield lambda done, total, text: shown.update(task, completed=done, total=total, text=text)


@contextmanager
def later_bar(log: Console, title: str) -> Iterator[Callable[[int, int, str], None]]:
    """The same, shown from its first call on: other bars may come and go before."""
    with ExitStack() as stack:
        shown: list[Callable[[int, int, str], None]] = []

        def tell(done: int, total: int, text: str) -> None:
            if not shown:
                shown.append(stack.enter_context(bar(log, title)))
            shown[0](done, total, text)

        yield tell


def bars(log: Console) -> Progress:
    """Columns of all bars: title, bar, count, times, text."""
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(compact=True), TextColumn("{task.fields[text]}"),
    )  # fmt: skip
    return Progress(*columns, console=log, transient=True, disable=not log.is_terminal)
