"""Options of `archsearch run` read one by one: limits, objectives, networks by name, earlier runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.cost.ladder import Ladder
    from archsearch.search.given import Earlier
    from archsearch.search.propose import Problem
    from archsearch.spec.fields import Codes

NONE = "none"  # as a limit: lifted; as what to minimise: nothing, accuracy is all that counts


def merged(kept: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Limits as written: those that a run had and those given now, which come before; `none` lifts one."""
    texts = {**kept, **given}
    return {name: text for name, text in texts.items() if text.strip().lower() != NONE}


def asked_metrics(names: Sequence[str], own: Sequence[str] = ()) -> tuple[str, ...]:
    """What `--minimize` names, each once; none for `none`.

    own      metrics that a table tells
    raises   PluginError for a metric that is not known, RunError where `none` stands beside one
    """
    from archsearch.cost.count import metric

    if NONE in names:
        if len(set(names)) > 1:
            raise RunError("--minimize none stands alone: it means that accuracy is all that counts")
        return ()
    for name in names:
        if name not in own:
            metric(name)
    return tuple(dict.fromkeys(names))


def objectives(
    asked: tuple[str, ...] | None, ladder: "Ladder | None", limited: Sequence[str] = ()
) -> tuple[str, ...]:  # fmt: skip
    """What is minimised; the metric of a ladder comes first, and alone where nothing else was asked for.

    limited  metrics with a limit: where latency has one and MAdds have none, latency is what is minimised by default
    """
    from archsearch.cost.budget import EXPECTED, LATENCIES

    if ladder is None:
        timed = set(limited) & set(LATENCIES) and "madds" not in limited
        return ((EXPECTED,) if timed else ("madds",)) if asked is None else asked
    alike = LATENCIES if ladder.metric in LATENCIES else ()  # both order networks in the same way
    return tuple(dict.fromkeys([ladder.metric, *(name for name in asked or () if name not in alike)]))


def wanted_codes(problem: "Problem", names: Sequence[str]) -> "list[Codes]":
    """The codes of the networks of `--add`.

    raises   SpecError, SpaceError or BudgetError saying why one cannot be trained
    """
    from archsearch.cli.options import read_arch
    from archsearch.search.wanted import code_of

    return [code_of(problem, read_arch(text), text) for text in names]


def opened_runs(folders: Sequence[Path], home: Path) -> "list[Earlier]":
    """The runs of `--from`, opened for reading.

    home     the folder of the run that begins from them
    raises   RunError where one is no run, or is this one
    """
    from archsearch.report.open import open_run
    from archsearch.search.config import RunConfig
    from archsearch.search.given import Earlier

    opened = []
    for folder in dict.fromkeys(folders):
        if folder.resolve() == home.resolve():
            raise RunError(f"--from {folder} is this run itself; name an earlier one")
        study, command, _ = open_run(folder)
        config, trials = RunConfig.from_dict(command), study.get_trials(deepcopy=False)
        opened.append(Earlier(name=str(folder.resolve()), config=config, trials=trials))
    return opened
