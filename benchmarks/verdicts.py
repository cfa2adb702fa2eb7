"""Verdicts: 1,000 candidates x 200 problems of 12 patterns, each with its reasons.

verdicts   all verdicts, judged from the store; the limit is the bare aggregation in SQL: passes, errors, fixes and
           regressions against production of every cell
"""

import sqlite3
from collections.abc import Callable

from measure import compare
from outcome_matrix import filled

from ml_regress.core.verdict import Verdict
from ml_regress.report.facts import gather_facts

CANDIDATES, PROBLEMS, PATTERNS = 1000, 200, 12
BARE = """
SELECT mine.candidate, mine.problem, mine.state, mine.passes, mine.answered, mine.errors,
       sum(before.outcome = 'passed' AND after.outcome = 'failed'),
       sum(before.outcome = 'failed' AND after.outcome = 'passed')
FROM evaluations mine
JOIN problems ON problems.id = mine.problem AND problems.suite = mine.suite
JOIN evaluations theirs ON theirs.candidate = 'c0000' AND theirs.problem = mine.problem AND theirs.suite = mine.suite
JOIN outcomes after ON after.evaluation = mine.number
JOIN outcomes before ON before.evaluation = theirs.number AND before.pattern = after.pattern
GROUP BY mine.number
"""


def main() -> None:
    made = filled(CANDIDATES, PROBLEMS, PATTERNS)
    path = str(made.store.database.url.database)

    def own() -> list[Verdict]:
        facts = gather_facts(made.store)
        return [facts.verdict(candidate) for candidate in facts.candidates]

    def bare() -> Callable[[], object]:
        db = sqlite3.connect(path)
        return lambda: db.execute(BARE).fetchall()

    verdicts = {verdict.candidate: verdict for verdict in own()}
    assert len(verdicts) == CANDIDATES
    broken = {(row[0], row[1]): row[6] for row in sqlite3.connect(path).execute(BARE)}
    for candidate, verdict in verdicts.items():
        for each in verdict.problems if candidate != "c0000" else ():
            for check in each.checks:
                if check.rule == "regressions" and check.value is not None:
                    assert check.value == broken[candidate, each.problem]
    del verdicts, broken
    compare("verdicts", lambda: own, bare, bound=3.0, runs=3)
    made.store.close()


if __name__ == "__main__":
    main()
