"""Names of assets, groups and checks, and the tags that this pipeline puts on runs."""

PROBLEMS = "problems"
BENCHMARKS = "benchmarks"
PATTERNS = "patterns"
CANDIDATES = "candidates"
EVALUATION = "evaluation"
VERDICTS = "verdicts"
SCOREBOARD = "scoreboard"
REPORT = "report"
BATCHES = "batches"
DRIFT = "drift"
OUTLIERS = "outliers"

SCHEMAS_VALID = "schemas_valid"
MATRIX_COMPLETE = "matrix_complete"
NEWEST_MEETS = "newest_meets_requirements"
PRODUCTION_MEETS = "production_meets_requirements"
NO_DRIFT = "no_drift"
SCHEMA_KEPT = "schema_kept"
BATCHES_ARRIVE = "batches_arrive"

MEASURE = "measure"
REFRESH = "refresh"
AUDIT = "audit"
PROMOTE = "promote"
ROLL_BACK = "roll_back"
CHECK_BATCHES = "check_batches"
WATCH_PRODUCTION = "watch_production"

REGISTRY_GROUP = "registry"
MATRIX_GROUP = "matrix"
PRODUCTION_GROUP = "production"
OWNERS = ["team:ml-regress"]

# The claim of a run on its cells, and what it did to them: both are seen in the list of runs.
CLAIM_TAG = "ml_regress/claim"
REASON_TAG = "ml_regress/reason"
COUNT_TAG = "ml_regress/"
# Where a run moved production to.
PRODUCTION_TAG = "ml_regress/production"
# The batches that a run is to check, in this order: a range of partitions may hold others between them.
BATCHES_TAG = "ml_regress/batches"
