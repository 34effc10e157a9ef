"""Replays of `archsearch bench rungs`: on a table, or on the learning curves of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.bench.rungs import Play
    from archsearch.evaluate.table import Table
    from archsearch.search.propose import Problem

EPOCHS_MADE_UP = 9  # of a whole training, where no curve tells
TRAININGS = 60  # where nobody says how many


def replayed_with_bar(problem: "Problem", asked: Mapping[str, Any], sampler: str, seeds: range) -> dict[str, Any]:
    """All ways over all seeds; `asked` are the options of the command, None where they were not given.

    raises   RunError for options that do not go together
    """
    from archsearch.bench.rungs import replayed
    from archsearch.cli.bars import bar
    from archsearch.cli.show import console

    assert problem.table is not None
    play = _play(problem.table, asked, sampler, seeds)
    with bar(console(error=True), "bench rungs") as progress:
        return {"table": problem.table.name, **replayed(problem, play, progress)}


def _play(table: "Table", asked: Mapping[str, Any], sampler: str, seeds: range) -> "Play":
    from archsearch.bench.rungs import Play, most_trainings, ways
    from archsearch.search.rungs import AUTO_ETA, ETA, Rule, read_rungs

    made_up = {"own_way": asked["own"], "slower": asked["slower"]}
    made_up = {name: value for name, value in made_up.items() if value is not None}
    if made_up and table.curves is not None:
        raise RunError("--own and --slower are of made-up learning curves, and these are real")
    eta = asked["eta"] or (AUTO_ETA if asked["at"] == "auto" else ETA)
    rule = Rule(rungs=read_rungs(asked["at"], _whole(table, asked["epochs"]), eta), eta=eta, doubt=asked["doubt"])
    trainings = asked["trainings"] or max(2, min(TRAININGS, most_trainings(len(table), rule)))
    return Play(sampler=sampler, seeds=tuple(seeds), trainings=trainings, ways=ways(rule), **made_up)


def of_table(file: Path) -> "Problem":
    """What to search: the networks of a table, by accuracy and MAdds."""
    from archsearch.cli.loading import load_table

    table = load_table(file, None, space=None, evaluator="table-mean")
    if table is None:
        raise RunError(f"{file} is no table")
    return _problem(table, ("madds",))


def of_run(folder: Path) -> "Problem":
    """What to search: the networks of a run whose rungs stopped nobody, by its own objectives."""
    from archsearch.bench.real_curves import curves_table
    from archsearch.report.kept import kept

    run = kept(folder)
    return _problem(curves_table(run), tuple(run.objectives[1:]))


def _problem(table: "Table", minimize: tuple[str, ...]) -> "Problem":
    from archsearch.cost.budget import Budget
    from archsearch.search.propose import Problem

    if table.space is None:
        raise RunError(f"table {table.name} belongs to no design space")
    return Problem(space=table.space, budget=Budget(), minimize=minimize, table=table)


def _whole(table: "Table", epochs: int | None) -> int:
    """Epochs of a whole training, as asked for or as the table's own curves have them."""
    own = None if table.curves is None else int(table.curves.shape[-1])
    if own is not None and epochs not in (None, own):
        raise RunError(f"--epochs {epochs}: the learning curves have {own}")
    return own or epochs or EPOCHS_MADE_UP
