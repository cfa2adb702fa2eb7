"""The answer to "Have you solved X?": one plain paragraph, with the patterns behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ml_regress.core.candidate import Candidate
from ml_regress.core.evaluation import ERROR, OK
from ml_regress.core.history import MET_FROM_START, Mark, marks
from ml_regress.core.problem import Problem
from ml_regress.core.statistics import wilson
from ml_regress.core.verdict import FAIL, PASS, CellFacts, ProblemVerdict
from ml_regress.errors import NotFound
from ml_regress.report.facts import Facts, gather_facts
from ml_regress.report.summary import requirement_words
from ml_regress.store import Store
from ml_regress.store.decisions import InProduction

YES, NOT_YET_IN_PRODUCTION, BUT_BREAKS, NOT_ANY_MORE, NO, OPEN = (
    "yes",
    "yes, but not in production",
    "yes, but it breaks others",
    "not any more",
    "no",
    "cannot be said yet",
)


@dataclass(frozen=True)
class AnswerPattern:
    """A pattern with what production and the newest candidate made of it, None where that was not measured."""

    pattern: str
    polarity: str
    expectation: str
    canary: bool
    production: str | None
    newest: str | None


@dataclass(frozen=True)
class Answer:
    """What can be said of a problem: `answer` in a word, `text` as a paragraph, the turns and the patterns."""

    problem: Problem
    answer: str
    text: str
    production: str | None
    newest: str | None
    turns: tuple[Mark, ...]
    patterns: tuple[AnswerPattern, ...]


def answer(store: Store, problem: str) -> Answer:
    """Answer for one problem of the matrix; raises NotFound for another."""
    with store.database.read():
        facts = gather_facts(store)
        asked = next((each for each in facts.problems if each.id == problem), None)
        if asked is None:
            raise NotFound(
                f"the problem {problem!r} is not in the matrix (closed, or without an active pattern): "
                "`ml-regress problems --closed` lists all"
            )
        candidates = {each.id: each for each in store.candidates.all()}
        order = [name for name in candidates if name in facts.candidates]
        turns = marks(order, {name: facts.met.get((name, problem)) for name in order})
        history = store.decisions.production_history()
        newest = order[-1] if order else None
        said = _Words(asked, facts, candidates, order, turns, history)
        return Answer(
            asked,
            said.answer,
            said.paragraph(),
            facts.production,
            newest,
            turns,
            _patterns(store, problem, facts.production, newest),
        )


@dataclass(frozen=True)
class _Words:
    problem: Problem
    facts: Facts
    candidates: Mapping[str, Candidate]
    order: Sequence[str]
    turns: Sequence[Mark]
    history: Sequence[InProduction]

    def _met(self, candidate: str | None) -> bool | None:
        return None if candidate is None else self.facts.met.get((candidate, self.problem.id))

    @property
    def _newest(self) -> str | None:
        """The newest candidate that was measured."""
        measured = [name for name in self.order if self.facts.cells[name, self.problem.id].answered]
        return measured[-1] if measured else None

    @property
    def answer(self) -> str:
        newest = self._newest
        if self._met(self.facts.production):
            return YES
        if self._met(newest):
            return BUT_BREAKS if self._fails(newest) else NOT_YET_IN_PRODUCTION
        met = [self._met(name) for name in self.order]
        if True in met and self._met(newest) is False:
            return NOT_ANY_MORE
        if True in met:
            return NOT_YET_IN_PRODUCTION
        return NO if False in met or self._fails(newest) else OPEN

    def _fails(self, candidate: str | None) -> bool:
        """Whether the verdict on this problem is a fail, which what is asked of a cell alone may not tell."""
        return candidate is not None and self._verdict(candidate).verdict == FAIL

    def _verdict(self, candidate: str) -> ProblemVerdict:
        return next(each for each in self.facts.verdict(candidate).problems if each.problem == self.problem.id)

    def paragraph(self) -> str:
        about, newest = self.problem, self.order[-1] if self.order else None
        reported = " ".join(
            part
            for part in (
                f"reported by {about.reported_by}" if about.reported_by else "",
                f"on {about.reported_at}" if about.reported_at else "",
            )
            if part
        )
        named = f"“{about.title}” ({about.id}{', ' + reported if reported else ''})"
        sentences = [f"{self._opening()} {named} asks: {self._asked()}."]
        if self.facts.production is not None:
            since = self.history[0].at[:10] if self.history else "an unknown day"
            sentences.append(
                f"In production since {since} is {self.facts.production}: {self._result(self.facts.production)}."
            )
        else:
            sentences.append("No candidate is in production.")
        if newest is not None and newest != self.facts.production:
            sentences.append(f"The newest candidate is {self._named(newest)}: {self._result(newest)}.")
        sentences += self._turns()
        return " ".join(sentences)

    def _opening(self) -> str:
        solver = next((mark.candidate for mark in reversed(self.turns) if not mark.kind.startswith("broken")), None)
        production, newest = self.facts.production, self._newest
        which = "newest" if not self.order or newest == self.order[-1] else "newest measured"
        return {
            YES: f"Yes: {production}, which is in production, meets what is asked.",
            NOT_YET_IN_PRODUCTION: f"Yes, but not in production: {newest if self._met(newest) else solver} meets what "
            "is asked.",
            BUT_BREAKS: f"Yes, but not in production, and not without loss: {newest} reaches what is asked of it "
            "alone, and breaks patterns that work in production.",
            NOT_ANY_MORE: f"Not any more: {solver} met what is asked, and the {which} candidate does not.",
            NO: f"No: the {which} candidate does not meet what is asked.",
            OPEN: "That cannot be said yet.",
        }[self.answer]

    def _asked(self) -> str:
        cells = [cell for (_, name), cell in self.facts.cells.items() if name == self.problem.id]
        return requirement_words(self.problem, cells[0].canaries if cells else 0)

    def _named(self, candidate: str) -> str:
        manifest = self.candidates[candidate].manifest
        changed = f", “{manifest.changed}”" if manifest.changed else ""
        return f"{candidate} ({manifest.created_at[:10]}{changed})"

    def _result(self, candidate: str) -> str:
        cell: CellFacts = self.facts.cells[candidate, self.problem.id]
        if cell.state not in (OK, ERROR) or not cell.answered:
            return f"{cell.state}" + (f" ({cell.reason})" if cell.reason else "")
        low, high = wilson(cell.passes, cell.answered)
        errors = f", {cell.errors} could not be measured" if cell.errors else ""
        verdict = self._verdict(candidate)
        why = "" if verdict.verdict == PASS else f": {'; '.join(verdict.reasons)}"
        return (
            f"{cell.passes} of {cell.answered} patterns pass (95% interval {low:.2f} to {high:.2f}{errors}), "
            f"verdict {verdict.words}{why}"
        )

    def _turns(self) -> list[str]:
        said = []
        for mark in self.turns:
            cell = self.facts.cells[mark.candidate, self.problem.id]
            score = f"{cell.passes} of {cell.answered}"
            if mark.kind == MET_FROM_START:
                said.append(
                    f"The first measured candidate, {self._named(mark.candidate)}, met it from the start ({score})."
                )
            else:
                said.append(f"It was {mark.kind} by {self._named(mark.candidate)}: {score}.")
        return said


def _patterns(store: Store, problem: str, production: str | None, newest: str | None) -> tuple[AnswerPattern, ...]:
    suite = next(each.suite for each in store.problems.measured() if each.id == problem)
    frozen = store.problems.suites([(problem, suite)])[problem]
    wanted = [name for name in (production, newest) if name is not None]
    rows = {row.candidate: row.number for row in store.facts.cells(wanted) if row.problem == problem} if wanted else {}
    outcomes = store.evaluations.outcomes(rows.values())
    by_key = {
        (number, pattern): outcome
        for number, pattern, outcome in zip(
            outcomes["evaluation"], outcomes["pattern"], outcomes["outcome"], strict=True
        )
    }

    def of(candidate: str | None, pattern: str) -> str | None:
        return None if candidate is None else by_key.get((rows.get(candidate), pattern))

    return tuple(
        AnswerPattern(
            each.id, each.polarity, each.expectation.words, each.canary, of(production, each.id), of(newest, each.id)
        )
        for each in frozen.patterns
    )
