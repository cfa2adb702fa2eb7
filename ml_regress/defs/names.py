"""Names of assets, groups and checks, and the tags that this pipeline puts on runs."""

PROBLEMS = "problems"
BENCHMARKS = "benchmarks"
PATTERNS = "patterns"
CANDIDATES = "candidates"
EVALUATION = "evaluation"
SCOREBOARD = "scoreboard"
REPORT = "report"

SCHEMAS_VALID = "schemas_valid"
MATRIX_COMPLETE = "matrix_complete"

MEASURE = "measure"
REFRESH = "refresh"
AUDIT = "audit"

REGISTRY_GROUP = "registry"
MATRIX_GROUP = "matrix"
OWNERS = ["team:ml-regress"]

# The claim of a run on its cells, and what it did to them: both are seen in the list of runs.
CLAIM_TAG = "ml_regress/claim"
REASON_TAG = "ml_regress/reason"
COUNT_TAG = "ml_regress/"
