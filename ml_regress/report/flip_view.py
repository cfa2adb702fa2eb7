"""Flipped patterns as the pages show them: with pictures or inputs, what was expected, and both answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml_regress.core.history import FIX
from ml_regress.errors import shortened
from ml_regress.report.compared import Flipped
from ml_regress.report.pattern_grid import Budget, answer_text, top_score
from ml_regress.report.pictures import input_pictures, plain_inputs

SHOWN_INPUTS = 12
SHOWN_CHARACTERS = 400


@dataclass(frozen=True)
class FlipView:
    """One flip; `left_out` says in words what of its inputs is not shown."""

    problem: str
    title: str
    pattern: str
    fixed: bool
    tags: tuple[str, ...]
    expectation: str
    pictures: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    left_out: str
    before: str
    after: str


def flip_views(flips: Sequence[Flipped], budget: Budget) -> tuple[FlipView, ...]:
    """The flips in their order, with inputs as long as there is room for them."""
    return tuple(_view(flip, budget) for flip in flips)


def _view(flip: Flipped, budget: Budget) -> FlipView:
    pictures = tuple(input_pictures(flip.problem.inputs, flip.inputs))
    plain = plain_inputs(flip.problem.inputs, flip.inputs)
    inputs = tuple((name, shortened(value, SHOWN_CHARACTERS)) for name, value in plain[:SHOWN_INPUTS])
    left_out = f"{len(plain) - SHOWN_INPUTS} more inputs are left out." if len(plain) > SHOWN_INPUTS else ""
    if flip.inputs is None:
        left_out = "Recorded without its inputs."
    elif not budget.take(sum(len(uri) for _, uri in pictures) + sum(len(name) + len(value) for name, value in inputs)):
        pictures, inputs, left_out = (), (), "The inputs are left out to keep this file small."
    tags = [word for word, there in (("canary", flip.canary), ("chosen on its failures", flip.chosen)) if there] + [
        "shows the problem" if flip.polarity == "positive" else "must keep working"
    ]
    return FlipView(
        flip.problem.id,
        flip.problem.title,
        flip.pattern,
        flip.flip == FIX,
        tuple(tags),
        shortened(flip.expectation, SHOWN_CHARACTERS),
        pictures,
        inputs,
        left_out,
        _answer(flip.before, flip.before_outputs),
        _answer(flip.after, flip.after_outputs),
    )


def _answer(answer: object, outputs: object) -> str:
    best = top_score(outputs)
    return shortened(answer_text(answer), SHOWN_CHARACTERS) + (f" (top score: {best})" if best else "")
