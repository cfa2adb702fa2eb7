"""The problems of the example, and the rule that chose their patterns from the flights of production.

The rule of every problem looks at one candidate only, the newest one on the day of the report, and at flights that had
flown by then, from April on: none of them was trained on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from flights import DECLARED, INPUTS, LATE, ON_TIME, WEATHER
from training import RECIPES, lateness

FIELDS = ["pattern_id", "expected", "polarity", "origin", "canary", "twin", "parent", "selected_on", "note"]
POSITIVES, NEGATIVES, BLANKED = 8, 5, 4


@dataclass(frozen=True)
class Report:
    """A problem as it was reported: a kind of flight that candidates get wrong.

    `kind` tells its flights from others. With `blanked`, the weather is also taken from some flights that were
    answered rightly with it.
    """

    id: str
    title: str
    description: str
    severity: str
    reported_by: str
    reported_at: str
    kind: Callable[[pd.DataFrame], "pd.Series[bool]"]
    blanked: bool = False

    @property
    def newest_candidate(self) -> str:
        """The candidate that was newest on the day of the report."""
        known = [(recipe.created_at, recipe.id) for recipe in RECIPES if recipe.created_at[:10] <= self.reported_at]
        return max(known)[1]


REPORTS = (
    Report(
        "evening-from-newark", "Evening departures from EWR", "After 17:00 Newark fills up, and answers miss it.",
        "high", "crew planning", "2013-06-10", lambda flights: (flights["airport"] == "EWR") & (flights["hour"] >= 17),
    ),
    Report(
        "short-hops", "Short hops", "Flights of less than 300 miles cannot make up for a late start.",
        "medium", "crew planning", "2013-07-15", lambda flights: flights["distance"] < 300,
    ),
    Report(
        "long-haul", "Long haul", "Flights of more than 2,000 miles make up for a late start, or lose an hour to wind.",
        "medium", "rebooking desk", "2013-08-12", lambda flights: flights["distance"] > 2000,
    ),
    Report(
        "missing-weather", "Missing weather", "Where the weather station is silent, answers are guesses.",
        "low", "data team", "2013-09-09", lambda flights: flights[WEATHER].isna().any(axis=1), blanked=True,
    ),
    Report(
        "winter-storms", "Winter storms", "Rain, snow or fog below 45 degrees: whole evenings are late at once.",
        "critical", "operations", "2014-01-06",
        lambda flights: (flights["temp"] < 45) & ((flights["precip"] > 0) | (flights["visib"] < 4)),
    ),
)  # fmt: skip


def choose(report: Report, flights: pd.DataFrame, candidate: Any) -> list[dict[str, Any]]:
    """The pattern rows of a report; `candidate` is the newest one on its day."""
    flown = (flights["month"] >= 4) & (flights["time_hour"].str[:10] < report.reported_at) & flights["late"].notna()
    stream = flights[flown].reset_index(drop=True)
    answers = np.asarray(candidate.predict(stream[INPUTS]))
    right = answers == stream["late"].to_numpy()
    kind = report.kind(stream).to_numpy()
    # How far an answer was from the other one, in ranks: scores of different candidates have no common unit.
    sure = np.abs(pd.Series(lateness(candidate, stream)).rank(pct=True).to_numpy() - 0.5)
    rows: list[dict[str, Any]] = []
    positives = _both(np.flatnonzero(kind & ~right), sure, stream["late"].to_numpy(), POSITIVES)
    for place in positives:
        note = f"{stream['late'][place]}, answered {answers[place]}"
        rows.append(_row(stream, place, "positive", selected_on=report.newest_candidate, note=note))
    rows[0]["canary"] = "true"  # the reported case
    taken = set(positives)
    for rank, place in enumerate(positives[:NEGATIVES]):
        near = _nearest(stream, place, right & (stream["late"] != stream["late"][place]).to_numpy(), taken)
        taken.add(near)
        row = _row(stream, near, "negative", note=f"near {stream['flight_id'][place]}, and answered rightly")
        if rank < 3:
            row["twin"], rows[rank]["twin"] = rows[rank]["pattern_id"], row["pattern_id"]
        rows.append(row)
    if report.blanked:
        for row in [row for row in rows if row["polarity"] == "negative"][:BLANKED]:
            empty = {**row, **dict.fromkeys(WEATHER, "")}
            named = {"pattern_id": f"{row['pattern_id']}-blank", "polarity": "positive", "origin": "contrived"}
            rows.append({**empty, **named, "twin": "", "parent": row["pattern_id"], "note": "the weather taken away"})
        rows = rows[: POSITIVES - 2] + rows[POSITIVES:] if len(rows) > 15 else rows
    return rows


def _both(places: np.ndarray, sure: np.ndarray, late: np.ndarray, count: int) -> list[int]:
    """The surest of these failures, of late and of punctual flights in turn."""
    order = [int(place) for place in places[(-sure[places]).argsort(kind="stable")]]
    sides = [[place for place in order if late[place] == side] for side in (LATE, ON_TIME)]
    mixed = [place for pair in zip(*sides, strict=False) for place in pair]
    return (mixed + [place for place in order if place not in mixed])[:count]


def _nearest(stream: pd.DataFrame, place: int, among: np.ndarray, taken: set[int]) -> int:
    """The flight that is most like this one: the same airport, and near in hour, distance and weather."""
    numbers = stream[["hour", "distance", *WEATHER]]
    scaled = (numbers - numbers.loc[place]) / numbers.std()
    away = scaled.fillna(1.0).pow(2).sum(axis=1).to_numpy() + 4.0 * (stream["airport"] != stream["airport"][place])
    return next(int(p) for p in np.argsort(away, kind="stable") if among[p] and p not in taken)


def _row(stream: pd.DataFrame, place: int, polarity: str, **fields: str) -> dict[str, Any]:
    flight = stream.loc[place]
    inputs = {name: "" if pd.isna(flight[name]) else flight[name] for name in INPUTS}
    about = {
        "pattern_id": flight["flight_id"],
        "expected": flight["late"],
        "polarity": polarity,
        "origin": "production",
    }
    return {**inputs, **about, **fields}


def problem_file(report: Report, patterns: int) -> dict[str, Any]:
    """The problem's YAML as a mapping; two of three patterns have to pass, which is what such data allows."""
    return {
        "id": report.id,
        "title": report.title,
        "description": report.description,
        "owner": "delays-team",
        "severity": report.severity,
        "reported_by": report.reported_by,
        "reported_at": report.reported_at,
        "state": "open",
        "inputs": DECLARED,
        "answer": "text",
        "labels": [ON_TIME, LATE],
        "positive_label": LATE,
        "metric": "pass_rate",
        "requirement": {"at_least": patterns * 2 // 3, "canaries": "none"},
        "patterns": f"{report.id}.csv",
    }
