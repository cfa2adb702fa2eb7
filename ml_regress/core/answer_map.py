"""Answer maps: what a candidate's answers mean where its classes are finer than those of the problems.

A map is part of the candidate's manifest. The store keeps the raw answers; they are mapped when they
are scored and when they are shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ml_regress.core.answers import typed_answer
from ml_regress.core.prediction import Predictions

SCORE = "score:"


def mapped_answers(answer_map: Mapping[str, str], answers: Sequence[Any]) -> list[Any]:
    """Raw answers with those that the map names (as text) replaced; others stay as they are."""
    if not answer_map:
        return list(answers)
    known: dict[tuple[type, Any], Any] = {}  # thousands of answers are few different ones
    for raw in answers:
        if (type(raw), raw) not in known:
            known[type(raw), raw] = answer_map.get(typed_answer("text", raw) or "", raw)
    return [known[type(raw), raw] for raw in answers]


def mapped_outputs(answer_map: Mapping[str, str], outputs: Sequence[Any]) -> list[Any]:
    """Outputs (dicts or None) with the scores of classes that are mapped to one class added up."""
    if not answer_map:
        return list(outputs)
    return [_summed(answer_map, given) if isinstance(given, Mapping) else given for given in outputs]


def mapped_predictions(answer_map: Mapping[str, str], predictions: Predictions) -> Predictions:
    """Predictions as the map means them."""
    if not answer_map:
        return predictions
    answers = mapped_answers(answer_map, [prediction.answer for prediction in predictions.values()])
    outputs = mapped_outputs(answer_map, [prediction.outputs for prediction in predictions.values()])
    return {
        digest: prediction._replace(answer=answer, outputs=given)
        for (digest, prediction), answer, given in zip(predictions.items(), answers, outputs, strict=True)
    }


def _summed(answer_map: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        label = name.removeprefix(SCORE)
        meant = SCORE + answer_map.get(label, label) if name.startswith(SCORE) else name
        found[meant] = found[meant] + value if meant in found else value
    return found
