"""Which columns of a batch can be held against its reference, and why others cannot."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml_regress.core.compared import Compared
from ml_regress.core.drift import not_compared
from ml_regress.core.drift_result import CATEGORY, NUMBER
from ml_regress.core.inputs import Column
from ml_regress.core.production import RESERVED, ProductionSchema
from ml_regress.intake.kept import Kept
from ml_regress.intake.kept_columns import SCORE

_KEPT_AS = {"number": "number", "integer": "integer", "boolean": "boolean"}
_NUMBERS = ("number", "integer")
Named = tuple[str, str]  # a column and its kind, "number" or "category"


@dataclass(frozen=True)
class Inputs:
    """The inputs of a check: `known` of the reference (what its profile holds), `compared` of these in the batch.

    `left_out` are those that cannot be compared, each with its reason.
    """

    known: tuple[Named, ...]
    compared: tuple[Named, ...]
    left_out: tuple[Compared, ...]

    def in_order(self, compared: Sequence[Compared], schema: ProductionSchema) -> list[Compared]:
        """All inputs in the order of the schema, those that it does not name behind them."""
        order = {name: place for place, name in enumerate(schema.inputs.names)}
        every = [*compared, *self.left_out]
        return sorted(every, key=lambda each: order.get(each.column, len(order)))


def inputs_of(schema: ProductionSchema, batch: Kept, reference: Kept, absent: frozenset[str]) -> Inputs:
    """The inputs of the schema in force, as both sides have them; `absent` are those that the reference never had.

    A side of another schema has other columns, or the same ones with other types.
    """
    known, compared, left_out = list[Named](), list[Named](), list[Compared]()
    for column in schema.inputs.columns:
        name, kind = column.name, kind_of(column.kind)
        there = name not in absent
        in_reference = _why_not(column, reference, "in the reference") if there else "the reference has no such column"
        in_batch = _why_not(column, batch, "when this batch came")
        if not in_reference:
            known.append((name, kind))
        why = "; ".join(dict.fromkeys(reason for reason in (in_batch, in_reference) if reason))
        if why:
            left_out.append(not_compared(name, kind, why))
        else:
            compared.append((name, kind))
    for name in batch.names:
        if name not in schema.inputs.by_name and not name.startswith((RESERVED, SCORE)):
            reason = "was an input when this batch came, and is none now"
            left_out.append(not_compared(name, batch.kind(name), reason))
    return Inputs(tuple(known), tuple(compared), tuple(left_out))


def kind_of(declared: str) -> str:
    """How a declared type is compared: as numbers, or as levels."""
    return NUMBER if declared in _NUMBERS else CATEGORY


def alike(declared: str, kept: str) -> bool:
    """Whether values that are kept as this type are those of the declared one; whole numbers are numbers, too."""
    wanted = _KEPT_AS.get(declared, "text")
    return kept == wanted or (kept in _NUMBERS and wanted in _NUMBERS)


def _why_not(column: Column, kept: Kept, when: str) -> str:
    if column.name not in kept.names:
        side = "the reference" if when == "in the reference" else "the batch"
        return f"{side} has no such column"
    found = kept.type_of(column.name)
    return "" if alike(column.kind, found) else f"was {found} {when}, is {column.kind} now"
