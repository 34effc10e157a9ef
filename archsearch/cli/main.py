"""The command `archsearch`: its table of commands, and how errors reach the user.

Exit code 0 done, 2 wrong input (one line), 1 a failure of ours, 130 interrupted.
"""

import errno
import io
import os
import sys
from typing import Annotated

import typer

from archsearch import __version__
from archsearch.cli import ablate, arch, bench, draw, export, latency, proxies, results, run, space, supernet, trust
from archsearch.cli.options import with_share
from archsearch.errors import ArchSearchError

UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # click's, wherever typer keeps it

app = typer.Typer(
    name="archsearch",
    help="Find the best small neural network for a budget.",
    epilog="Begin with: archsearch run --budget-madds 300M",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run.run)
app.command()(arch.train)
app.command()(arch.count)
app.command()(draw.draw)
app.command()(export.export)
app.add_typer(space.app, name="space")
app.add_typer(latency.app, name="latency")
app.command()(proxies.proxies)
app.command()(supernet.supernet)
app.command()(results.front)
app.command()(results.report)
app.command()(trust.trust)
app.command()(ablate.ablate)
app.add_typer(bench.app, name="bench")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"archsearch {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find the best small neural network for a budget."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without the character ± is no reason to lose a result
    sys.exit(code(arguments))


def code(arguments: list[str] | None = None) -> int:
    """Run the command line; its exit code."""
    # OpenMP's threads wait by spinning, and beside any other busy process that makes training several times slower;
    # it reads this once, when torch is imported. A user's own setting stays.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        words = with_share(sys.argv[1:] if arguments is None else arguments)
        result = typer.main.get_command(app)(args=words, prog_name="archsearch", standalone_mode=False, obj=words)
        return result if isinstance(result, int) else 0
    except UsageError as error:
        return _complain(getattr(error, "format_message", error.__str__)(), _hint(error))
    except ArchSearchError as error:
        return _complain(str(error))
    except (KeyboardInterrupt, typer.Abort):
        print("archsearch: interrupted", file=sys.stderr)
        return 130
    except SystemExit:  # a closed pipe: the reader has seen enough
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return _complain(f"output cannot be written: {error.strerror}")


def _complain(message: str, hint: str = "") -> int:
    one_line = " ".join(message.split())
    if not one_line:  # help was shown instead
        return 2
    print(f"archsearch: {one_line}{hint}", file=sys.stderr)
    return 2


def _hint(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f" (see {context.command_path} --help)" if context is not None else ""
