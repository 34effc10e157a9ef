"""`archsearch space list --zoo`: published networks, what is counted of them, what was printed."""

import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from archsearch.cost.published import Row

METRICS = ("madds", "params")
HEADER = (
    "| network | MAdds printed | counted | as | params printed | counted | as | remark |",
    "|---|---:|---:|---|---:|---:|---|---|",
)


def list_zoo(*, check: bool, as_json: bool, markdown: bool) -> None:
    """Print the zoo; with `check`, exit code 1 where a printed figure disagrees and no document says why."""
    from archsearch.cli.show import console, print_json, table
    from archsearch.cost.published import zoo_rows

    rows = zoo_rows()
    if as_json:
        print_json([plain(row) for row in rows])
    elif markdown:
        print(markdown_tables(rows), end="")
    else:
        headings = ["name", "MAdds", "printed", "as", "params", "printed", "as", "agrees", "source"]
        console().print(table(headings, [_cells(row) for row in rows], left=(0, 8), cut_last=True))
        told = (
            "as: the convention of the printed figure, of its count here (plain: as `count` prints it). "
            "misprint: a printed figure does not follow from the network, and it is known to be wrong; unexplained: "
            "it does not follow, and it is not known why. docs/zoo.md says more"
        )
        console(error=True).print(told, markup=False, soft_wrap=True)
    if check:
        _check(rows)


def plain(row: "Row") -> dict[str, Any]:
    """The object that `--json` prints of one row."""
    document: dict[str, Any] = {"name": row.published.name, "source": row.published.source, **row.costs}
    for metric in METRICS:
        each = row.compared.get(metric)
        document[f"printed_{metric}"] = each and {
            "text": each.figure.text, "convention": each.figure.counts, "cut": each.figure.cut,
            "counted": each.count, "agrees": each.agrees, "misprint": each.figure.misprint,
            "unexplained": each.figure.unexplained,
        }  # fmt: skip
    return {**document, "agrees": row.verdict}


def markdown_tables(rows: "list[Row]") -> str:
    """The conventions, and one table a source, as in docs/zoo.md."""
    from archsearch.cost.conventions import CONVENTIONS

    told = [
        f"| {metric} | `{name}` | {convention.about} |"
        for metric, known in CONVENTIONS.items()
        for name, convention in known.items()
    ]
    parts = ["\n".join(["### Conventions", "", "| figure | name | what is counted |", "|---|---|---|", *told, ""])]
    for source in dict.fromkeys(row.published.source for row in rows):
        members = [row for row in rows if row.published.source == source and row.compared]
        if members:
            parts.append("\n".join([f"### {source}", "", *HEADER, *map(_markdown, members), ""]))
    return "\n".join(parts)


def _check(rows: "list[Row]") -> None:
    """Name the figures that are not in order, and exit with code 1 where there are any."""
    wrong = [(row, metric) for row in rows for metric, each in row.compared.items() if not each.in_order]
    for row, metric in wrong:
        each = row.compared[metric]
        why = (
            "is marked as one that does not follow, but agrees"
            if each.agrees
            else "does not follow, and nothing says why"
        )
        where = f"{row.published.name}, {metric} {each.figure.text} ({row.published.source})"
        print(f"archsearch: {where} {why}; counted {each.count:,}", file=sys.stderr)
    if wrong:
        raise typer.Exit(1)


def _cells(row: "Row") -> list[str]:
    """Each count under the convention of the figure beside it."""
    cells = [row.published.name]
    for metric in METRICS:
        each = row.compared.get(metric)
        if each is None:
            cells += [f"{row.costs[metric]:,}", "-", ""]
        else:
            cells += [f"{each.count:,}", each.figure.text, each.figure.counts]
    return [*cells, row.verdict, row.published.source]


def _markdown(row: "Row") -> str:
    """One line of a table; figures that do not follow are bold."""
    from archsearch.cli.show import HEADINGS

    cells, remarks = [f"`{row.published.name}`"], []
    for metric in METRICS:
        each = row.compared.get(metric)
        if each is None:
            cells += ["", "", ""]
            continue
        text = each.figure.text if each.agrees else f"**{each.figure.text}**"
        cells += [text, f"{each.count:,}", each.figure.counts + (", cut" if each.figure.cut else "")]
        unexplained = "unexplained; " if each.figure.unexplained else ""
        remarks += [f"{HEADINGS[metric]}: {unexplained}{each.figure.remark}"] if each.figure.remark else []
    return "| " + " | ".join([*cells, "; ".join(remarks)]) + " |"
