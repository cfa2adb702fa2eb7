"""The keys of a problem or benchmark file: typed one by one, so that every fault is found at once."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from ml_regress.core.answers import ANSWER_TYPES, parse_answer
from ml_regress.core.ids import SLUG_RULE, is_slug
from ml_regress.core.inputs import InputTypes, parse_input_types, parse_value
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.problem import METRICS, SCORER
from ml_regress.errors import Fault
from ml_regress.intake.dates import date_form
from ml_regress.intake.decimals import MARKS
from ml_regress.intake.reading import TABLE_KEYS, TableFormat
from ml_regress.intake.text_files import known_encoding

T = TypeVar("T")

NEED_POSITIVE_LABEL = ("precision", "recall", "f1", "roc_auc")
NEED_NUMBERS = ("mae", "rmse")
NO_INPUT_TYPES = InputTypes((), ())


def nearest(name: str, known: Sequence[str]) -> str:
    """The rule for a name that is not known, naming the nearest one that is."""
    close = get_close_matches(name, known, n=1)
    return f"is not known; do you mean {close[0]!r}?" if close else f"is not known; use {', '.join(known)}"


def plain_text(value: Any) -> Any:
    """A value as YAML text would give it: scalars of JSON become texts, None stays None."""
    if isinstance(value, Mapping):
        return {str(key): plain_text(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_text(item) for item in value]
    return value if value is None else answer_text(value)


def _delimiter(text: str) -> str:
    if text == "tab":
        return "\t"
    if len(text) != 1 or text.isalnum() or text in '"\r\n':
        raise ValueError('must be one character such as ";", or the word tab')
    return text


def _decimal(text: str) -> str:
    if text not in MARKS:
        raise ValueError('must be "." or ","')
    return text


class Declaration:
    """The mapping of one file and the faults found in it so far.

    Every reader gives a value that stands in for a faulty one, so that reading goes on.
    """

    def __init__(self, given: Mapping[str, Any], source: str, known: Sequence[str], prefix: str = "") -> None:
        self.given: Mapping[str, Any] = plain_text(given)
        self.source = source
        self.prefix = prefix
        self.faults: list[Fault] = []
        for key in self.given:
            if key not in known:
                self.fault(key, nearest(key, known))

    def fault(self, key: str, rule: str, value: str | None = None) -> None:
        self.faults.append(Fault(self.source, None, self.prefix + key, value, rule))

    def broken(self, *keys: str) -> bool:
        """Whether one of these keys (or something inside it) had a fault."""
        return any((fault.column or "").split(".")[0] in keys for fault in self.faults)

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        value = self.given.get(key)
        if value is not None and not isinstance(value, str):
            self.fault(key, "must be a text")
        elif value is None or not value.strip():
            if required:
                self.fault(key, "is missing")
        else:
            return value
        return default

    def slug(self, key: str) -> str:
        value = self.text(key, required=True)
        if value and not is_slug(value):
            self.fault(key, SLUG_RULE, value)
        return value

    def choice(self, key: str, options: Sequence[str], default: str) -> str:
        value = self.text(key, default)
        if value in options:
            return value
        self.fault(key, f"must be one of {', '.join(options)}", value)
        return default

    def parsed(self, key: str, parse: Callable[[str], T]) -> T | None:
        """The value of an optional key by a function that raises ValueError with the rule."""
        value = self.text(key)
        if not value:
            return None
        try:
            return parse(value)
        except ValueError as error:
            self.fault(key, str(error), value)
            return None

    def date(self, key: str) -> str:
        return self.parsed(key, lambda text: str(parse_value("date", text))) or ""

    def inputs(self, key: str = "inputs") -> InputTypes:
        given = self.given.get(key)
        if given in (None, "", {}):
            self.fault(key, "is missing; name each input and its type, such as `amount: number`")
            return NO_INPUT_TYPES
        if not isinstance(given, Mapping):
            self.fault(key, "must be a mapping of names to types")
            return NO_INPUT_TYPES
        sound = True
        for name, declaration in given.items():
            try:
                if not isinstance(declaration, str):
                    raise ValueError("must be the name of an input type")
                if not name or name != name.strip():
                    raise ValueError("needs a name without spaces around it")
                parse_input_types({name: declaration})
            except ValueError as error:
                self.fault(f"{key}.{name}", str(error))
                sound = False
        try:
            return parse_input_types(given) if sound else NO_INPUT_TYPES
        except ValueError as error:  # two inputs that name one column
            self.fault(key, str(error))
            return NO_INPUT_TYPES

    def table_format(self, key: str = "table") -> TableFormat:
        """How the table is written, as far as the file states it."""
        given = self.given.get(key)
        if given in (None, ""):
            return TableFormat()
        if not isinstance(given, Mapping):
            self.fault(key, f"must be a mapping with {', '.join(TABLE_KEYS)}")
            return TableFormat()
        inner = Declaration(given, self.source, TABLE_KEYS, prefix=f"{key}.")
        delimiter = inner.given.get("delimiter")
        if isinstance(delimiter, str) and delimiter.isspace():  # which is a text, though a blank one
            inner.given = {**inner.given, "delimiter": "tab" if delimiter == "\t" else "a space"}
        found = TableFormat(
            delimiter=inner.parsed("delimiter", _delimiter),
            encoding=inner.parsed("encoding", known_encoding),
            decimal=inner.parsed("decimal", _decimal),
            dates=inner.parsed("dates", lambda text: date_form(text).name),
        )
        self.faults.extend(inner.faults)
        return found

    def answers(self) -> tuple[str, tuple[Any, ...], Any]:
        """Answer type, labels and positive label, which depend on each other."""
        kind = self.choice("answer", ANSWER_TYPES, "text")
        given = self.given.get("labels")
        labels: list[Any] = []
        if not (given is None or given == "" or isinstance(given, list)):
            self.fault("labels", "must be a list")
        for item in given if isinstance(given, list) else ():
            try:
                label = parse_answer(kind, item if isinstance(item, str) else "")
                if label == "":
                    raise ValueError("must be a text that is not empty")
                if label in labels:
                    raise ValueError("is there twice")
                labels.append(label)
            except ValueError as error:
                self.fault("labels", f"{error} (answers are {kind})", str(item))
        positive = self.parsed("positive_label", lambda text: parse_answer(kind, text))
        if positive is not None and labels and positive not in labels and not self.broken("labels"):
            self.fault("positive_label", "must be one of the labels", answer_text(positive))
            positive = None
        return kind, tuple(labels), positive

    def metric(self, key: str, name: str, kind: str, positive: Any) -> None:
        """Refuse a metric that is not known or cannot be computed for these answers."""
        if name.startswith(SCORER):
            if not name.removeprefix(SCORER).strip():
                self.fault(key, "must name its entry point, such as scorer:cost", name)
        elif name not in METRICS:
            self.fault(key, f"must be one of {', '.join(METRICS)} or scorer:NAME", name)
        elif name in NEED_POSITIVE_LABEL and positive is None and not self.broken("positive_label"):
            self.fault(key, "needs `positive_label`", name)
        elif name in NEED_NUMBERS and kind not in ("integer", "number") and not self.broken("answer"):
            self.fault(key, f"compares numbers, but answers are {kind}; declare `answer: number`", name)
