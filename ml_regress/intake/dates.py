"""The order of day, month and year in a column of dates: decided from the whole column, or stated."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ml_regress.errors import Fault
from ml_regress.intake.exact import Cells, Exact

RULE = "must be YYYY, MM and DD in any order, with one kind of separator or none, such as DD/MM/YYYY"
_STATED = re.compile(r"(YYYY|MM|DD)([-/. ]?)(YYYY|MM|DD)\2(YYYY|MM|DD)")
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([-/. ])[0-9]{1,2}\1[0-9]{2}")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class DateForm:
    """One way to write a date, such as DD/MM/YYYY."""

    order: tuple[str, str, str]
    separator: str

    @property
    def name(self) -> str:
        return self.separator.join(self.order)

    def day(self, text: str) -> date | None:
        """The day that a text names, or None where it is not written so."""
        parts = text.split(self.separator) if self.separator else self._cut(text)
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
            return None
        by_name = dict(zip(self.order, parts, strict=True))
        short = (1, 2) if self.separator else (2,)
        if len(by_name["YYYY"]) != 4 or any(len(by_name[name]) not in short for name in ("MM", "DD")):
            return None
        try:
            return date(*(int(by_name[name]) for name in ("YYYY", "MM", "DD")))
        except ValueError:
            return None

    def _cut(self, text: str) -> list[str]:
        first, second = len(self.order[0]), len(self.order[0] + self.order[1])
        return [text[:first], text[first:second], text[second:]]


def date_form(text: str) -> DateForm:
    """The form that a text such as DD.MM.YYYY names; raises ValueError with the rule."""
    found = _STATED.fullmatch(text)
    order = (found[1], found[3], found[4]) if found else ("", "", "")
    if found is None or len(set(order)) < 3:
        raise ValueError(RULE)
    return DateForm(order, found[2])


_CANDIDATES = tuple(
    DateForm(order, separator)
    for separator in "-/."
    for order in (("DD", "MM", "YYYY"), ("MM", "DD", "YYYY"), ("YYYY", "MM", "DD"))
)


def plain_dates(
    name: str, cells: Cells, stated: str | None, source: str
) -> tuple[list[str | None] | None, list[str], list[Fault]]:
    """The cells as ISO dates (None where none changes), notes, and what cannot be read.

    What is no date in any writing stays as it is.
    """
    texts: dict[str, int] = {}  # each writing with the row in which it came first
    known: dict[str, str] = {}
    for row, cell in enumerate(cells, start=1):
        text = (cell or "").strip()
        iso = _ISO.fullmatch(text)
        if iso is not None and (stated is None or isinstance(cell, Exact)):
            known[text] = iso[1]
        if text and (stated is not None or not isinstance(cell, Exact)) and not (stated and text in known):
            texts.setdefault(text, row)
    if stated is None:
        days, notes, faults = _decided(name, texts, known, source)
    else:
        days, notes, faults = _stated(name, texts, date_form(stated), source)
    days = known | days
    changed = [days.get((cell or "").strip(), cell) for cell in cells]
    return (None if changed == list(cells) else changed), notes, faults


def _stated(
    name: str, texts: Mapping[str, int], form: DateForm, source: str
) -> tuple[dict[str, str], list[str], list[Fault]]:
    days = {text: day.isoformat() for text in texts if (day := form.day(text)) is not None}
    rule = f"is no date written {form.name}, as `table:` states"
    return days, [], [Fault(source, row, name, text, rule) for text, row in texts.items() if text not in days]


def _decided(
    name: str, texts: Mapping[str, int], known: Mapping[str, str], source: str
) -> tuple[dict[str, str], list[str], list[Fault]]:
    """The days by the one order that fits all texts; a text that no order fits decides nothing."""
    short = [
        Fault(source, row, name, text, "has a year of two digits; write all four")
        for text, row in texts.items()
        if _SHORT_YEAR.fullmatch(text)
    ]
    if short or all(text in known for text in texts):
        return {}, [], short
    fitting: dict[str, dict[DateForm, date]] = {}
    for text in texts:
        days = {form: day for form in _CANDIDATES if (day := form.day(known.get(text, text))) is not None}
        if days:
            fitting[text] = days
    forms = [form for form in _CANDIDATES if all(form in days for days in fitting.values())]
    if not fitting or all(text in known for text in fitting):
        return {}, [], []
    if not forms:
        return {}, [], [_mixed(name, fitting, texts, source)]
    for text, days in fitting.items():
        if len({days[form] for form in forms}) > 1:
            return {}, [], [_ambiguous(name, text, texts[text], {form: days[form] for form in forms}, source)]
    form = forms[0]
    names = " or ".join(each.name for each in forms)
    note = f"{source}, column {name!r}: dates are read as {names}{_evidence(fitting, texts, forms)}"
    return {text: days[form].isoformat() for text, days in fitting.items()}, [note], []


def _evidence(fitting: Mapping[str, Mapping[DateForm, date]], texts: Mapping[str, int], forms: list[DateForm]) -> str:
    """The row that rules the other order out, in words."""
    if len(forms) > 1:
        return ", which name the same days here"
    text = min(fitting, key=lambda each: len(fitting[each]))
    return f", as row {texts[text]} shows: {text!r}"


def _mixed(name: str, fitting: Mapping[str, Mapping[DateForm, date]], texts: Mapping[str, int], source: str) -> Fault:
    form = max(_CANDIDATES, key=lambda each: sum(each in days for days in fitting.values()))
    fits = next(text for text, days in fitting.items() if form in days)
    other = next(text for text, days in fitting.items() if form not in days)
    return Fault(
        source,
        texts[other],
        name,
        other,
        f"is not written {form.name}, as {fits!r} of row {texts[fits]} is; write the column in one way",
    )


def _ambiguous(name: str, text: str, row: int, days: Mapping[DateForm, date], source: str) -> Fault:
    readings = " or ".join(f"{day.day} {_MONTHS[day.month - 1]} {day.year} ({form.name})" for form, day in days.items())
    rule = f"is {readings}, and no other row decides; say `table: {{dates: {next(iter(days)).name}}}` or the other"
    return Fault(source, row, name, text, rule)
