"""The problems of the example, and the rule that chose their patterns from the production stream.

The rule of every problem looks at one candidate only: the newest one when the problem was
reported. What later candidates answer plays no part in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from images import PIXELS, PRODUCTION, Digits, dimmed, frame, ink, off_centre, shifted, thickened, without_column
from training import RECIPES, scores

FIELDS = ["pattern_id", "expected", "polarity", "origin", "canary", "twin", "parent", "selected_on", "note"]
# A style counts as production's own in the tenth of the stream that shows it most.
STYLE_SHARE = 0.1


@dataclass(frozen=True)
class Report:
    """A problem as it was reported: a confusion of two digits, or a style of writing or scanning.

    A style has `vary`, which makes it from a plain image, and `measure`, which finds it in the
    stream (larger is more of it; None where the stream has none). `state` is watched where the
    production candidate meets the requirement already: then nobody may break it.
    """

    id: str
    title: str
    description: str
    severity: str
    reported_by: str
    reported_at: str
    pair: tuple[int, int] | None = None
    vary: Callable[[np.ndarray], np.ndarray] | None = None
    measure: Callable[[np.ndarray], np.ndarray] | None = None
    suffix: str = ""
    metric: str = "pass_rate"
    positive_label: int | None = None
    owner: str = "reading-team"
    state: str = "open"
    bounds: Mapping[str, float] = field(default_factory=dict)

    @property
    def newest_candidate(self) -> str:
        """The candidate that was newest on the day of the report."""
        known = [(recipe.created_at, recipe.id) for recipe in RECIPES if recipe.created_at[:10] <= self.reported_at]
        return max(known)[1]


REPORTS = (
    Report(
        "one-or-eight", "1 or 8", "A 1 written with a heavy hand is read as 8, and a narrow 8 as 1.",
        "high", "sorting desk", "2026-06-14", pair=(1, 8),
    ),
    Report(
        "four-or-seven", "4 or 7", "An open, slanted 4 is read as 7, or a 7 with a bar as 4.",
        "medium", "returns desk", "2026-06-22", pair=(4, 7), metric="accuracy", bounds={"metric_at_least": 0.7},
        state="watched",
    ),
    Report(
        "thick-strokes", "Thick strokes", "Forms filled in with a broad pen are read wrongly.",
        "high", "returns desk", "2026-07-06", vary=thickened, measure=ink, suffix="thick",
    ),
    Report(
        "five-or-nine", "5 or 9", "A round 5 is read as 9, or a 9 with an open loop as 5.",
        "medium", "sorting desk", "2026-07-20", pair=(5, 9),
    ),
    Report(
        "dead-column", "A dead column of the scanner", "A scanner whose sixth column reads no ink gives wrong digits.",
        "low", "scanner service", "2026-08-17", vary=lambda image: without_column(image, 5), suffix="column-5-dead",
        owner="capture-team", state="watched",
    ),
    Report(
        "shifted-by-a-pixel", "Shifted by a pixel", "A form that lies a little to the right is read wrongly.",
        "critical", "scanner service", "2026-09-14", vary=lambda image: shifted(image, 0, 1), measure=off_centre,
        suffix="right", owner="capture-team",
    ),
    Report(
        "three-or-eight", "3 or 8", "A 3 whose ends come close to its waist is read as 8, or an open 8 as 3.",
        "high", "sorting desk", "2026-10-05", pair=(3, 8), metric="f1", positive_label=8,
        bounds={"metric_at_least": 0.6},
    ),
    Report(
        "faint-strokes", "Faint strokes", "Forms filled in with a hard pencil are read wrongly.",
        "medium", "sorting desk", "2026-10-19", vary=lambda image: dimmed(image, 35),
        measure=lambda images: -ink(images), suffix="faint",
    ),
)  # fmt: skip


class Chooser:
    """Chooses the patterns of one report from the stream, with the newest candidate of its day."""

    def __init__(self, report: Report, digits: Digits, candidate: Any) -> None:
        self.report = report
        self.candidate = candidate
        self.numbers = np.array(PRODUCTION)
        self.images = digits.images[self.numbers]
        self.labels = digits.labels[self.numbers]
        self.scores = scores(candidate, self.images)
        self.answers = self.answer(self.images)
        self.right = self.answers == self.labels
        self.rows: list[dict[str, Any]] = []
        self.used: set[int] = set()

    def answer(self, images: np.ndarray) -> np.ndarray:
        return np.asarray(self.candidate.predict(frame(images)))

    def margins(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Score of the right digit minus the best other one: the smaller, the closer to an error."""
        given = scores(self.candidate, images)
        place = np.arange(len(labels))
        right = given[place, labels]
        given[place, labels] = -np.inf
        return right - given.max(axis=1)

    def name(self, place: int) -> str:
        return f"prod-{self.numbers[place]:04d}"

    def add(self, image: np.ndarray, place: int, suffix: str = "", **fields: Any) -> str:
        """Append a pattern made from the production image at `place`; its id."""
        if not suffix:
            self.used.add(place)
        pattern_id = self.name(place) + (f"-{suffix}" if suffix else "")
        row = {"pattern_id": pattern_id, "expected": int(self.labels[place]), "origin": "production", **fields}
        if suffix:
            row |= {"origin": "contrived", "parent": self.name(place)}
        self.rows.append({**dict(zip(PIXELS, image.tolist(), strict=True)), **row})
        return pattern_id

    def couple(self, first: str, second: str) -> None:
        """Make two patterns each other's twin."""
        for row in self.rows:
            if row["pattern_id"] in (first, second):
                row["twin"] = second if row["pattern_id"] == first else first

    def plainest(self, digit: int) -> int:
        """The place of a digit's image, not used yet, that is nearest to the digit's mean image."""
        places = np.flatnonzero(self.labels == digit)
        distances = ((self.images[places] - self.images[places].mean(axis=0)) ** 2).sum(axis=1)
        return next(int(place) for place in places[distances.argsort(kind="stable")] if place not in self.used)

    def nearest(self, place: int, among: np.ndarray) -> int:
        """The place, not used yet, that the candidate reads right and that looks most like `place`."""
        distances = ((self.images - self.images[place]) ** 2).sum(axis=1)
        allowed = among & self.right
        return next(int(p) for p in distances.argsort(kind="stable") if allowed[p] and p not in self.used)

    def mark_reported_case(self) -> None:
        """The first failure in the table is the case that was reported: it has to be mended."""
        next(row for row in self.rows if row.get("selected_on"))["canary"] = "true"

    def add_production_positives(
        self, failed: np.ndarray, margins: np.ndarray, pool: np.ndarray, count: int
    ) -> list[int]:
        """The candidate's failures in the pool, worst first, then what it reads rightly by the least."""
        order = margins.argsort(kind="stable")
        failures = [int(place) for place in order if pool[place] and failed[place]]
        calls = [int(place) for place in order if pool[place] and self.right[place]]
        chosen = (failures + calls)[:count]
        for place in chosen:
            if failed[place]:
                note, selected_on = f"read as {self.answers[place]}", self.report.newest_candidate
            else:
                note, selected_on = "read rightly", ""
            self.add(self.images[place], place, polarity="positive", selected_on=selected_on, note=note)
        return chosen

    def choose_pair(self, pair: tuple[int, int]) -> None:
        """Patterns of a confusion of two digits."""
        ours = np.isin(self.labels, pair)
        other = np.where(self.labels == pair[0], pair[1], pair[0])
        place = np.arange(len(self.labels))
        margins = self.scores[place, self.labels] - self.scores[place, other]
        failed = ours & (self.answers == other)
        positives = self.add_production_positives(failed, margins, ours, 5)
        for positive in positives[:2]:
            # A copy of an image that was chosen for a failure is chosen for that failure too.
            selected_on = self.report.newest_candidate if failed[positive] else ""
            self.add(
                thickened(self.images[positive]), positive, "thick",
                polarity="positive", selected_on=selected_on, note="a broader pen",
            )  # fmt: skip
        for positive in positives[:3]:
            twin = self.nearest(positive, self.labels == other[positive])
            note = f"looks like {self.name(positive)} and shows {self.labels[twin]}"
            self.couple(self.name(positive), self.add(self.images[twin], twin, polarity="negative", note=note))
        for digit in pair:
            plain = self.plainest(digit)
            canary = {"canary": "true"} if digit == pair[0] else {}
            self.add(self.images[plain], plain, polarity="negative", note=f"the plainest {digit}", **canary)
            pale = dimmed(self.images[plain], 75)
            self.add(pale, plain, "pale", polarity="negative", note="three quarters of its ink")

    def choose_style(self, vary: Callable[[np.ndarray], np.ndarray]) -> None:
        """Patterns of a style: production's own, plain images varied, and the plain images."""
        contrived = 6
        if self.report.measure is not None:
            contrived = 4
            amount = self.report.measure(self.images)
            pool = amount >= np.quantile(amount, 1 - STYLE_SHARE)
            margins = self.margins(self.images, self.labels)
            positives = self.add_production_positives(~self.right, margins, pool, 3)
            for positive in positives[:2]:
                twin = self.nearest(positive, ~pool & (self.labels == self.labels[positive]))
                note = f"looks like {self.name(positive)}, without the style"
                self.couple(self.name(positive), self.add(self.images[twin], twin, polarity="negative", note=note))
        plain = np.array([self.plainest(digit) for digit in range(10)])
        varied = np.array([vary(self.images[place]) for place in plain])
        answers, margins = self.answer(varied), self.margins(varied, self.labels[plain])
        wrong = answers != self.labels[plain]
        for rank, item in enumerate(np.lexsort((margins, ~wrong))[:contrived]):
            place = int(plain[item])
            pattern_id = self.add(
                varied[item], place, self.report.suffix, polarity="positive",
                selected_on=self.report.newest_candidate if wrong[item] else "",
                note=f"read as {answers[item]}" if wrong[item] else "read rightly",
            )  # fmt: skip
            canary = {"canary": "true"} if rank == 0 else {}
            note = f"the plainest {self.labels[place]}"
            self.couple(pattern_id, self.add(self.images[place], place, polarity="negative", note=note, **canary))


def choose(report: Report, digits: Digits, candidate: Any) -> list[dict[str, Any]]:
    """The pattern rows of a report; `candidate` is the newest one on its day."""
    chooser = Chooser(report, digits, candidate)
    if report.pair is not None:
        chooser.choose_pair(report.pair)
    if report.vary is not None:
        chooser.choose_style(report.vary)
    chooser.mark_reported_case()
    return chooser.rows


def problem_file(report: Report, patterns: int) -> dict[str, Any]:
    """The problem's YAML as a mapping; all but two of its patterns have to pass."""
    optional = {} if report.positive_label is None else {"positive_label": report.positive_label}
    return {
        "id": report.id,
        "title": report.title,
        "description": report.description,
        "owner": report.owner,
        "severity": report.severity,
        "reported_by": report.reported_by,
        "reported_at": report.reported_at,
        "state": report.state,
        **question(),
        **optional,
        "metric": report.metric,
        "requirement": {"at_least": patterns - 2, **report.bounds, "canaries": "all", "max_regressions": 0},
        "patterns": f"{report.id}.csv",
    }


def question() -> dict[str, Any]:
    """What every problem and the benchmark ask: which digit does an image show."""
    return {
        "inputs": {"image": "image(8, 8, pixel_{row}_{column}, 0..16)"},
        "answer": "integer",
        "labels": list(range(10)),
    }
