"""What one `archsearch ablate` asks for, resolved: the design, the networks, how they are trained, the folder."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from archsearch import plugins
from archsearch.cli.experiment import Experiment
from archsearch.cli.judging import MADE_UP
from archsearch.errors import RunError

if TYPE_CHECKING:
    from archsearch.ablate.design import Design
    from archsearch.ablate.pairs import Pair
    from archsearch.evaluate.base import Evaluator
    from archsearch.search.propose import Problem

PAIRS, SEEDS, MOST = 20, 2, 100  # pairs and seeds where nothing is said; pairs at most where hours are
FREE = ("pairs", "seeds", "device", "threads", "space", "data")  # may change when it goes on


@dataclass(kw_only=True)
class Ablating(Experiment):
    """A request about factors; images and amounts of a training are those of a run's trials."""

    question: str | None  # name of a ready-made design
    factors: tuple[str, ...]  # as written
    match: str | None
    parts: int  # each network gets one in so many treatments
    pairs: int | None
    seeds: int | None
    hours: float | None
    file: ClassVar[str] = "ablation.toml"
    what: ClassVar[str] = "ablation"
    free: ClassVar[tuple[str, ...]] = FREE

    @cached_property
    def design(self) -> "Design":
        """What is compared.

        raises   RunError for factors that cannot be read, or an unknown design
        """
        from archsearch.ablate.design import MATCHES, check_fraction, own_design, ready
        from archsearch.ablate.factor import read_factor

        if self.match not in (None, *MATCHES):
            raise RunError(f"--match must be {' or '.join(MATCHES)}, got {self.match!r}")
        if bool(self.question) == bool(self.factors):
            raise RunError("name a ready-made ablation (archsearch ablate linear-vs-relu) or give --factor, "
                           f"{'not both' if self.question else 'like bottleneck=linear,relu6'}")  # fmt: skip
        made = (ready(self.question, match=self.match) if self.question
                else own_design([read_factor(text) for text in self.factors], match=self.match or "none"))  # fmt: skip
        check_fraction(made, self.parts)
        return made

    @cached_property
    def problem(self) -> "Problem":
        """Space and hard limits, checked before anything is decoded or written.

        raises   SpaceError, BudgetError, PluginError, DataError, RunError
        """
        from archsearch.ablate.factor import check_factors, check_field
        from archsearch.ablate.outcome import OWN
        from archsearch.cli.limits import problem_of
        from archsearch.search.run import fit_to_images

        plugins.load("evaluators", self.given["evaluator"])
        if not self.trains and self.given["evaluator"] not in MADE_UP:
            raise RunError(f"an ablation trains its networks: --evaluator train (or {', '.join(MADE_UP)}, to try it "
                           f"out), not {self.given['evaluator']}")  # fmt: skip
        if self.hours is not None and not self.trains:
            raise RunError("--max-hours goes with --evaluator train: nothing else takes time")
        design = self.design
        for factor in design.factors:
            if factor.name in OWN:
                raise RunError(f"a factor may not be called {factor.name}: ablation.csv has a column of that name")
        space, note = fit_to_images(self.named_space.with_classes(self.peek.num_classes), self.peek.native)
        check_factors(space, design.factors)
        for name in design.held:
            check_field(space, name)
        if note:
            self.log.print(f"  {note}", markup=False, style="dim")
        return replace(problem_of(space, self.texts, None), minimize=())

    @cached_property
    def seed_count(self) -> int:
        """Seeds of each pair: as asked, else as the folder began, else two."""
        return self.seeds or self.whole("seeds") or SEEDS

    @cached_property
    def how_many(self) -> int:
        """Pairs at most, before their time is known."""
        there = self.whole("pairs") or 0
        return self.pairs or (there or PAIRS if self.hours is None else max(there, MOST))

    @cached_property
    def drawn(self) -> "list[Pair]":
        """The pairs.

        raises   BudgetError where none can be made
        """
        from archsearch.ablate.pairs import pairs

        problem = self.problem
        return pairs(problem.space, problem.budget, self.design, self.how_many, seed=self.given["seed"],
                     parts=self.parts)  # fmt: skip

    @property
    def trains(self) -> bool:
        """Whether networks are trained, so that it takes time and images."""
        return bool(self.given["evaluator"] == "train")

    @cached_property
    def evaluator(self) -> "Evaluator":
        """What trains; first weights are alike within a pair wherever shapes are."""
        if not self.trains:
            made: Evaluator = plugins.load("evaluators", self.given["evaluator"])(self.setup())
            return made
        from archsearch.evaluate.training import TrainEvaluator
        from archsearch.train.paired import paired

        trainer = self.trainer()
        assert isinstance(trainer, TrainEvaluator)
        return replace(trainer, initial=paired)

    def command(self, pairs: int) -> dict[str, Any]:
        """The resolved command."""
        from archsearch.search.run import space_hash

        trained = {name: self.amounts[name] for name in ("epochs", "batch", "trial_images")} if self.trains else {}
        return {
            "design": self.design.name,
            "factors": [each.text for each in self.design.factors],
            "held": [f"{name}={value}" for name, value in self.design.held.items()],
            "match": self.design.match,
            "fraction": self.parts,
            "space": self.space or self.problem.space.name,
            "space_hash": space_hash(self.problem.space),
            "data": self.data or "digits",
            "data_hash": self.dataset.fingerprint if self.trains else "",
            "pairs": pairs,
            "seeds": self.seed_count,
            "seed": self.given["seed"],
            "evaluator": self.given["evaluator"],
            "recipe": self.given["recipe"],
            **trained,
            "device": self.device,
            "threads": self.threads,
            "budgets": self.texts,
        }

    @cached_property
    def folder(self) -> Path:
        """`--out`, or a folder named by what was asked for."""
        return self.out or self.named("ablation", self.question, self.factors, self.match, self.parts)
