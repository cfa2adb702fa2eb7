"""Patterns of a problem x candidates: which rows a page shows, and what each of them says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_regress.core.evaluation import FAILED, PASSED
from ml_regress.core.expectation import SCORE
from ml_regress.core.history import FIX
from ml_regress.core.problem import Problem
from ml_regress.errors import shortened
from ml_regress.report.evidence import Evidence, is_missing
from ml_regress.report.pictures import input_pictures, plain_inputs, value_text

SHOWN_PATTERNS = 50
SHOWN_INPUTS = 40
SHOWN_CHARACTERS = 300
GLYPHS = {PASSED: "✓", FAILED: "✗"}
ERROR_GLYPH, ABSENT_GLYPH = "!", "·"


@dataclass(frozen=True)
class GridCell:
    """One outcome: `css` names outcome (p, f, e, or a for absent) and flip (u, d)."""

    css: str
    text: str
    answer: str = ""
    score: str = ""
    reason: str = ""


@dataclass(frozen=True)
class GridRow:
    """One pattern with its outcomes in the order of the candidates."""

    id: str
    expectation: str
    tags: tuple[str, ...]
    note: str
    pictures: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    left_out: str
    flips: bool
    cells: tuple[GridCell, ...]


@dataclass(frozen=True)
class Grid:
    """The shown rows of one problem, flipped patterns first, and in words what is left out."""

    problem: Problem
    rows: tuple[GridRow, ...]
    total: int
    flipped: int
    left_out: str


class Budget:
    """Characters that inputs may still take on a page; pages of any matrix stay small enough to open."""

    def __init__(self, characters: int) -> None:
        self.left = characters
        self.refused = 0

    def take(self, characters: int) -> bool:
        """True where there is room, which is then taken."""
        if characters > self.left:
            self.refused += 1
            return False
        self.left -= characters
        return True


def pattern_grid(evidence: Evidence, problem: Problem, budget: Budget, limit: int = SHOWN_PATTERNS) -> Grid:
    """All patterns that any shown candidate flips, and others up to `limit` rows.

    A flip is one against production or against the measured candidate before.
    """
    patterns = evidence.patterns[evidence.patterns["problem"] == problem.id]
    records = {row["pattern"]: row for row in patterns.to_dict("records")}
    against, before = (
        frame[(frame["problem"] == problem.id) & frame["candidate"].isin(evidence.shown)]
        for frame in (evidence.production_flips, evidence.previous_flips)
    )
    flipped = {*against["pattern"], *before["pattern"]}
    first = [pattern for pattern in records if pattern in flipped]
    rest = [pattern for pattern in records if pattern not in flipped]
    room = max(0, limit - len(first))
    shown = [*first, *rest[:room]]
    turns = {
        (candidate, pattern): flip
        for candidate, pattern, flip in zip(before["candidate"], before["pattern"], before["flip"], strict=True)
    }
    found = evidence.shown_outcomes.get(problem.id, evidence.outcomes.head(0))
    found = found[found["pattern"].isin(shown)]
    outcomes = {(row["candidate"], row["pattern"]): row for row in found.to_dict("records")}
    rows = []
    for pattern in shown:
        cells = tuple(
            _cell(outcomes.get((candidate, pattern)), turns.get((candidate, pattern))) for candidate in evidence.shown
        )
        rows.append(_row(problem, records[pattern], pattern in flipped, cells, budget))
    hidden = max(0, len(rest) - room)
    return Grid(problem, tuple(rows), len(records), len(first), _left_out(len(rest), hidden, len(records)))


def _left_out(steady: int, hidden: int, total: int) -> str:
    if not hidden:
        return ""
    if hidden == steady:
        return f"{hidden:,} of {total:,} patterns that no candidate flips are left out."
    return f"{hidden:,} of {total:,} patterns are left out; no candidate flips any of them."


def _row(
    problem: Problem, record: Mapping[Any, Any], flips: bool, cells: tuple[GridCell, ...], budget: Budget
) -> GridRow:
    inputs: Mapping[str, Any] | None = record["inputs"] if isinstance(record["inputs"], Mapping) else None
    pictures = tuple(input_pictures(problem.inputs, inputs))
    plain = plain_inputs(problem.inputs, inputs)
    table = tuple((name, shortened(value, SHOWN_CHARACTERS)) for name, value in plain[:SHOWN_INPUTS])
    left_out = f"{len(plain) - SHOWN_INPUTS} more inputs are left out." if len(plain) > SHOWN_INPUTS else ""
    if inputs is None:
        left_out = "This pattern was recorded without its inputs."
    if not budget.take(sum(len(uri) for _, uri in pictures) + sum(len(n) + len(v) + 20 for n, v in table)):
        pictures, table, left_out = (), (), "The inputs are left out to keep this file small."
    return GridRow(
        record["pattern"],
        shortened(record["expectation"], SHOWN_CHARACTERS),
        _tags(record),
        shortened(_text(record["note"]), SHOWN_CHARACTERS),
        pictures,
        table,
        left_out,
        flips,
        cells,
    )


def _tags(record: Mapping[Any, Any]) -> tuple[str, ...]:
    tags = ["shows the problem" if record["polarity"] == "positive" else "must keep working"]
    if record["canary"]:
        tags.append("canary")
    tags.append(f"origin: {record['origin']}")
    if _text(record["twin"]):
        tags.append(f"twin of {record['twin']}")
    if record["selected_on"]:
        tags.append("chosen on failures of " + ", ".join(record["selected_on"]))
    return tuple(tags)


def _cell(outcome: Mapping[Any, Any] | None, flip: str | None) -> GridCell:
    if outcome is None:
        return GridCell("a", ABSENT_GLYPH, reason="no outcome")
    answer = answer_text(outcome["answer"])
    turn = "" if flip is None else (" u" if flip == FIX else " d")
    arrow = "" if flip is None else (" ▲" if flip == FIX else " ▼")
    kind = {PASSED: "p", FAILED: "f"}.get(outcome["outcome"], "e")
    glyph = GLYPHS.get(outcome["outcome"], ERROR_GLYPH)
    shown = "" if kind == "e" else f" {shortened(answer, 12)}"
    return GridCell(
        kind + turn,
        f"{glyph}{shown}{arrow}",
        shortened(answer, SHOWN_CHARACTERS) if kind != "e" else "",
        top_score(outcome["outputs"]),
        shortened(_text(outcome["reason"]), SHOWN_CHARACTERS),
    )


def answer_text(raw: Any) -> str:
    """A raw answer for a person."""
    return "no answer" if raw is None else value_text(raw)


def top_score(outputs: Any) -> str:
    """The class with the highest score: "8 at 0.71", or "" where a prediction has no scores."""
    if not isinstance(outputs, Mapping):
        return ""
    scores = {
        name.removeprefix(SCORE): float(value)
        for name, value in outputs.items()
        if name.startswith(SCORE) and isinstance(value, (int, float)) and not is_missing(value)
    }
    if not scores:
        return ""
    best = max(scores, key=lambda name: scores[name])
    return f"{best} at {scores[best]:.2f}"


def _text(value: Any) -> str:
    return "" if is_missing(value) else str(value)
