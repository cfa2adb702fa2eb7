"""Comparison: two candidates on 200 problems x 1,000 patterns, with tests, families and the worst flips.

compare   the whole comparison that the page is drawn from; the limit is the bare aggregation in SQL: how many patterns
          of each problem both have right, one of them, or none
"""

import sqlite3
from collections.abc import Callable

from measure import compare
from outcome_matrix import filled

from ml_regress.report.compared import gather_compared

PROBLEMS, PATTERNS = 200, 1000
BARE = """
SELECT mine.problem, before.outcome, after.outcome, count(*)
FROM evaluations mine
JOIN problems ON problems.id = mine.problem AND problems.suite = mine.suite
JOIN evaluations theirs ON theirs.candidate = 'c0000' AND theirs.problem = mine.problem AND theirs.suite = mine.suite
JOIN outcomes after ON after.evaluation = mine.number
JOIN outcomes before ON before.evaluation = theirs.number AND before.pattern = after.pattern
WHERE mine.candidate = 'c0001'
GROUP BY mine.problem, before.outcome, after.outcome
"""


def main() -> None:
    made = filled(2, PROBLEMS, PATTERNS)
    path = str(made.store.database.url.database)

    def own() -> object:
        return gather_compared(made.store, "benchmark", "c0000", "c0001")

    def bare() -> Callable[[], object]:
        db = sqlite3.connect(path)
        return lambda: db.execute(BARE).fetchall()

    by_hand = {(problem, before, after): count for problem, before, after, count in bare()()}
    found = gather_compared(made.store, "benchmark", "c0000", "c0001")
    for each in found.comparison.problems:
        assert each.counted.regressions == by_hand.get((each.problem, "passed", "failed"), 0)
    assert len(found.comparison.problems) == PROBLEMS
    compare("compare", lambda: own, bare, bound=3.0, runs=9)
    made.store.close()


if __name__ == "__main__":
    main()
