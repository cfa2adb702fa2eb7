"""What the gate shows of a candidate: its verdict, and beside each problem what so few patterns can tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ml_regress.core.approval import Approval
from ml_regress.core.evaluation import PASSED
from ml_regress.core.power import Flakiness, flakiness
from ml_regress.core.verdict import AT_LEAST, CANARIES, FAIL, PASS, VERDICTS, ProblemVerdict, Verdict
from ml_regress.core.waiver import Waivers
from ml_regress.report.facts import Facts
from ml_regress.report.power import power_words
from ml_regress.store import Store


@dataclass(frozen=True)
class GateView:
    """What the gate shows: a verdict, and beside each problem (by id) what its numbers can tell.

    `name` is the workspace's, `made_at` an ISO time in UTC, `sign_off` says where the decision stands. `flaky` holds
    the problems of which draws exist.
    """

    name: str
    verdict: Verdict
    made_at: str
    power: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sign_off: str = ""
    flaky: Mapping[str, Flakiness] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        verdict = self.verdict
        waived = " with waivers" if verdict.verdict == PASS and verdict.waived else ""
        if verdict.production is None:
            against = "no candidate is in production"
        elif verdict.production == verdict.candidate:
            against = "it is in production"
        else:
            against = f"against {verdict.production} in production"
        return f"{verdict.verdict}{waived}: {verdict.candidate} of {self.name}, {against}"

    @property
    def counts(self) -> str:
        """How many problems have which verdict."""
        found = [f"{number} {word}" for word, number in self.verdict.counts().items() if number]
        return f"{len(self.verdict.problems)} problems: {', '.join(found) or 'none'}"

    @property
    def worst_first(self) -> tuple[ProblemVerdict, ...]:
        return tuple(sorted(self.verdict.problems, key=lambda each: (VERDICTS.index(each.counted), not each.waiver)))

    def told(self, each: ProblemVerdict) -> tuple[str, ...]:
        """What the numbers of a problem can tell, and how often its gate fails by chance."""
        found = self.flaky.get(each.problem)
        return (*self.power.get(each.problem, ()), *(flaky_words(each, found) if found is not None else ()))


def gate_view(store: Store, name: str, facts: Facts, verdict: Verdict, approval: Approval) -> GateView:
    """The view of a verdict that was made of these facts."""
    candidate = verdict.candidate
    power = {each.id: power_words(each, facts.cells[candidate, each.id]) for each in facts.problems}
    return GateView(name, verdict, facts.made_at, power, approval.words, _flaky(store, facts, candidate))


def _flaky(store: Store, facts: Facts, candidate: str) -> dict[str, Flakiness]:
    """The flakiness of each cell with more than one draw of a pattern; what is waived passes."""
    with store.database.read():
        rows = {row.number: row for row in store.facts.cells([candidate])}
        drawn = store.evaluations.reliabilities(rows)
        if not drawn:
            return {}
        outcomes = dict(iter(store.evaluations.outcomes(drawn).groupby("evaluation")))
        canaries, _ = store.facts.canaries({rows[number].problem: rows[number].suite for number in drawn})
    waived = Waivers.of(facts.waivers, candidate, facts.made_at).of_patterns
    asked = {problem.id: problem.requirement for problem in facts.problems}
    found = {}
    for number, reliabilities in drawn.items():
        problem = rows[number].problem
        if not reliabilities or problem not in asked or number not in outcomes:
            continue
        shares = {
            str(pattern): reliabilities.get(str(pattern), (int(outcome == PASSED), 1))
            for pattern, outcome in zip(outcomes[number]["pattern"], outcomes[number]["outcome"], strict=True)
        }
        for pattern, (_, draws) in shares.items():
            if (problem, pattern) in waived:
                shares[pattern] = (draws, draws)
        must = canaries[problem] if asked[problem].canaries else ()
        found[problem] = flakiness(shares, asked[problem].at_least or 0, must)
    return found


def flaky_words(each: ProblemVerdict, found: Flakiness) -> tuple[str, ...]:
    """What the draws say: which patterns are flaky, and how often the gate fails when it is measured anew."""
    draws = f"{found.draws} draw{'' if found.draws == 1 else 's'} or more a pattern"
    flaky = f"flaky in {draws}: {', '.join(found.flaky)}" if found.flaky else f"nothing is flaky in {draws}"
    if not {check.rule for check in each.checks} & {AT_LEAST, CANARIES}:
        return (flaky,)
    chances = f"by one draw {found.one_draw:.1%} of the time, by the majority of as many draws {found.majority:.1%}"
    return flaky, f"measured anew, its count of passes and canaries fails {chances}"


def exit_code(verdict: Verdict) -> int:
    """0 for a pass, 1 for a fail, 2 for what is inconclusive or incomplete."""
    return {PASS: 0, FAIL: 1}.get(verdict.verdict, 2)
