"""A comparison for the terminal and for scripts."""

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ml_regress.core.comparison import BETTER, CHOSEN, WORSE, Comparison, Paired, ProblemComparison
from ml_regress.core.history import FIX
from ml_regress.core.statistics import clopper_pearson, jeffreys, wilson
from ml_regress.report.compared import Compared, Flipped
from ml_regress.report.evidence import MINUS
from ml_regress.report.pattern_grid import answer_text
from ml_regress.report.plain import plain

UNDEFINED = "undefined"


def _text(words: str) -> Text:
    """A text for the terminal, in which no name and no answer moves the cursor."""
    return Text(plain(words))


FLIPS_SHOWN = 20


def headline(compared: Compared) -> str:
    """What happened, in one sentence that needs no statistics."""
    found, after = compared.comparison, compared.after.id
    counted = found.counted
    if not counted.compared:
        return (
            f"{after} cannot be compared with {compared.before.id}: nothing was measured by both on the same patterns."
        )
    flips = f"{counted.fixes:,} fixed and {counted.regressions:,} broken of {counted.compared:,} patterns"
    words = {
        BETTER: f"{after} is better overall",
        WORSE: f"{after} is worse overall",
    }.get(found.finding, f"{after} is not clearly better or worse overall")
    if found.finding == CHOSEN:
        words += ", for every pattern was chosen on the failures of one side"
    worse = sorted(
        (each for each in found.problems if each.finding == WORSE),
        key=lambda each: each.counted.fixes - each.counted.regressions,
    )
    broken = _named_problems(compared, worse[:5])
    more = f" and {len(worse) - 5} more" if len(worse) > 5 else ""
    but = f" It is clearly worse on {broken}{more}." if worse else _unclear(compared)
    return f"{words}: {flips}.{but}"


def _named_problems(compared: Compared, problems: Sequence[ProblemComparison]) -> str:
    return ", ".join(
        f"{compared.problems[each.problem].title} ({MINUS}{each.counted.regressions})" for each in problems
    )


def _unclear(compared: Compared) -> str:
    """Which problems broke most where none can be called worse; "" where nothing broke."""
    losing = sorted(
        (each for each in compared.comparison.problems if each.counted.regressions),
        key=lambda each: -each.counted.regressions,
    )
    if not losing:
        return ""
    named = _named_problems(compared, losing[:5])
    return f" No problem can be called worse: chance alone could do that; most broke in {named}."


def pooled_lines(compared: Compared) -> list[tuple[str, str]]:
    """(name, words) of the pooled numbers, what is undefined said as such."""
    found = compared.comparison
    units, rates, counted = found.units, found.compatibility, found.counted
    test = "no p: nothing can be tested" if found.test is None else f"exact paired p {p_words(found.test.exact)}"
    lines = [
        ("patterns", f"{counted.before:,} right before, {counted.after:,} after, of {counted.compared:,}"),
        ("pooled", f"{found.finding}: {units.fixes:,} fixed, {units.regressions:,} broken of {units.compared:,} units "
                   f"(a family counts once), {test}" + change_words(found.change)),
        ("flip rates", f"negative {_rate(rates.negative)}, positive {_rate(rates.positive)}, net {_signed(rates.net)}; "
                       f"{_ratio(rates.relative_negative)} as many negative flips as chance gives"),
        ("backward trust", f"{_rate(rates.trust)} of what was right stays right"),
        ("error compatibility", f"{_rate(rates.error)} of what was wrong stays wrong"),
        ("correction", f"the p values of {sum(each.test is not None for each in found.problems)} problems are adjusted "
                       f"together ({found.correction.title()})"),
    ]  # fmt: skip
    if found.chosen:
        lines.append(
            ("chosen", f"{found.chosen:,} patterns were chosen on the failures of one side: they take no part in p")
        )
    return lines


def p_words(p: float | None) -> str:
    """A p value for a person."""
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def change_words(change: tuple[float, float, float] | None) -> str:
    """A change of the rate with its interval, or ""."""
    if change is None:
        return ""
    return f", change {change[0] * 100:+.1f} points (95% interval {change[1] * 100:+.1f} to {change[2] * 100:+.1f})"


def finding_words(each: ProblemComparison) -> str:
    """The finding, with how many patterns take no part in it."""
    return each.finding + (f" ({each.chosen} patterns chosen on its failures)" if each.chosen and each.test else "")


def _rate(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value * 100:.1f}%"


def _signed(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value * 100:+.1f} points"


def _ratio(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.2f} times"


def compare_text(compared: Compared) -> list[RenderableType]:
    """What the terminal shows: a sentence, the problems as a table, the pooled numbers, the worst flips."""
    found = compared.comparison
    parts: list[RenderableType] = [_text(headline(compared)), _problems(compared)]
    parts += [_text(f"{name}: {words}") for name, words in pooled_lines(compared)]
    parts += [_text(f"not compared: {compared.problems[name].title} ({name}): {why}")
              for name, why in compared.not_compared.items()]  # fmt: skip
    parts += [_text(f"{compared.problems[name].title} ({name}): {why}") for name, why in compared.older.items()]
    if compared.environments:
        parts.append(_text(f"environments differ: {'; '.join(compared.environments)}"))
    if compared.flipped:
        parts.append(_flips(compared, found))
    return parts


def _problems(compared: Compared) -> Table:
    table = Table(title=_text(f"{compared.before.id} -> {compared.after.id}"))
    for name in ("problem", "before", "after", "fixed", "broken", "p", "adjusted", "finding", "pairs"):
        table.add_column(name)
    for each in compared.comparison.problems:
        pairs = (
            "" if each.pair_score is None else f"{each.pair_score[0]} -> {each.pair_score[1]} of {each.pair_score[2]}"
        )
        table.add_row(
            _text(f"{compared.problems[each.problem].title} ({each.problem})"),
            f"{each.counted.before}/{each.counted.compared}",
            f"{each.counted.after}/{each.counted.compared}",
            str(each.counted.fixes),
            str(each.counted.regressions),
            p_words(each.test.exact if each.test else None),
            p_words(each.p_adjusted),
            _text(finding_words(each)),
            pairs,
        )
    return table


def _flips(compared: Compared, found: Comparison) -> Table:
    total, more = found.counted.fixes + found.counted.regressions, len(compared.flipped) - FLIPS_SHOWN
    left = f"; the page and --json show {len(compared.flipped):,}" if more > 0 else ""
    table = Table(title=_text(f"the worst of {total:,} flips{left}"))
    for name in ("problem", "pattern", "flip", "expected", compared.before.id, compared.after.id):
        table.add_column(_text(name))
    for each in compared.flipped[:FLIPS_SHOWN]:
        table.add_row(*map(_text, (each.problem.id, _named(each), "fixed" if each.flip == FIX else "broken",
                                  each.expectation, answer_text(each.before), answer_text(each.after))))  # fmt: skip
    return table


def _named(flip: Flipped) -> str:
    marks = [word for word, there in (("canary", flip.canary), ("chosen on its failures", flip.chosen)) if there]
    return flip.pattern + (f" ({', '.join(marks)})" if marks else "")


def compare_dict(compared: Compared) -> dict[str, Any]:
    """All of it for a script; rates and p values are numbers, null where one is undefined."""
    found = compared.comparison
    return {
        "before": compared.before.id,
        "after": compared.after.id,
        "production": compared.production,
        "made_at": compared.made_at,
        "words": headline(compared),
        "finding": found.finding,
        "correction": found.correction,
        **_paired(found.counted),
        "units": {**_paired(found.units), **_test(found)},
        "compatibility": vars(found.compatibility),
        "problems": [_problem(each) for each in found.problems],
        "not_compared": dict(compared.not_compared),
        "on_common_patterns": dict(compared.older),
        "environments": list(compared.environments),
        "flips": [
            {"problem": each.problem.id, "pattern": each.pattern, "flip": each.flip, "canary": each.canary,
             "chosen": each.chosen, "inputs": each.inputs, "expectation": each.expectation,
             "before": each.before, "after": each.after}
            for each in compared.flipped
        ],
        "flips_left_out": compared.flips - len(compared.flipped),
    }  # fmt: skip


def _problem(each: ProblemComparison) -> dict[str, Any]:
    return {
        "problem": each.problem,
        **_paired(each.counted),
        "open": each.open,
        "chosen": each.chosen,
        "tested": _paired(each.tested),
        **_test(each),
        "p_adjusted": each.p_adjusted,
        "tolerance": each.tolerance,
        "finding": each.finding,
        "pair_score": each.pair_score and dict(zip(("before", "after", "pairs"), each.pair_score, strict=True)),
    }  # fmt: skip


def _paired(paired: Paired) -> dict[str, Any]:
    return {"compared": paired.compared, "passed_before": paired.before, "passed_after": paired.after,
            "fixes": paired.fixes, "regressions": paired.regressions,
            "intervals": {side: _intervals(count, paired.compared)
                          for side, count in (("before", paired.before), ("after", paired.after))}}  # fmt: skip


def _intervals(count: int, total: int) -> dict[str, list[float]]:
    kinds = (("wilson", wilson), ("clopper_pearson", clopper_pearson), ("jeffreys", jeffreys))
    return {name: list(interval(count, total)) for name, interval in kinds} if total else {}


def _test(of: ProblemComparison | Comparison) -> dict[str, Any]:
    test, change = of.test, of.change
    return {
        "p": None if test is None else test.exact,
        "tests": None if test is None else vars(test),
        "change": None if change is None else dict(zip(("value", "low", "high"), change, strict=True)),
    }
