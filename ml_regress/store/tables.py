"""The tables. Times are ISO 8601 texts in UTC, structured values are JSON texts: both databases
keep them alike, and a person can read them with plain SQL.
"""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    """A text column: required without a default; optional columns have one so that SQL may leave them out."""
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _optional(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text)


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


# `revision` is raised by triggers on every change; `frozen_revision` is the one that was last
# validated; `frozen` is the problem as it was then, and `suite` the digest of its patterns.
problems = sa.Table(
    "problems",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("title"),
    _text("description", ""),
    _text("owner", ""),
    _text("severity", "medium"),
    _text("reported_by", ""),
    _text("reported_at", ""),
    _text("state", "open"),
    _text("inputs", "{}"),
    _text("answer_type", "text"),
    _text("labels", "[]"),
    _optional("positive_label"),
    _text("metric", "pass_rate"),
    _text("requirement", "{}"),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("frozen_revision", sa.Integer, nullable=False, server_default="0"),
    _optional("frozen"),
    _optional("suite"),
    _optional("imported_digest"),
    _optional("source"),
    _one_of("severity", "low", "medium", "high", "critical"),
    _one_of("state", "open", "watched", "closed"),
)

patterns = sa.Table(
    "patterns",
    metadata,
    sa.Column("problem", sa.Text, sa.ForeignKey("problems.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    _optional("inputs"),
    _text("expected"),
    _text("expectation", "equals"),
    _text("output", "answer"),
    _optional("tolerance"),
    _text("polarity", "positive"),
    _text("origin", "import"),
    _text("status", "active"),
    sa.Column("canary", sa.Boolean(create_constraint=True, name="canary"), nullable=False, server_default="0"),
    _optional("twin"),
    _optional("parent"),
    _text("selected_on", ""),
    _text("note", ""),
    _optional("imported_digest"),
    _one_of("polarity", "positive", "negative"),
    _one_of("origin", "production", "contrived", "outlier", "rating", "import"),
    _one_of("status", "proposed", "active", "retired"),
)

benchmarks = sa.Table(
    "benchmarks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("state", "open"),
    _text("definition"),
    _text("suite"),
    _text("data_digest"),
    _optional("source"),
    _one_of("state", "open", "watched", "closed"),
)

benchmark_data = sa.Table(
    "benchmark_data",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
)

suites = sa.Table(
    "suites",
    metadata,
    sa.Column("problem", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    _text("kind"),
    _text("content"),
    sa.Column("patterns", sa.Integer, nullable=False),
    _text("frozen_at"),
)

candidates = sa.Table(
    "candidates",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    _text("state", "active"),
    _text("digest"),
    _text("sha256"),
    sa.Column("size", sa.BigInteger, nullable=False),
    _text("format"),
    _text("path"),
    _text("manifest"),
    _text("libraries"),
    _text("created_at"),
    _text("registered_at"),
    _one_of("state", "active", "archived"),
    sqlite_autoincrement=True,
)

# Append-only: the last row of an alias is in force, the others are its history.
aliases = sa.Table(
    "aliases",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    _text("alias"),
    sa.Column("candidate", sa.Text, sa.ForeignKey("candidates.id"), nullable=False),
    _text("at"),
    _text("actor"),
    _text("reason", ""),
    sqlite_autoincrement=True,
)

due = sa.Table(
    "due",
    metadata,
    sa.Column("candidate", sa.Text, sa.ForeignKey("candidates.id"), primary_key=True),
    sa.Column("problem", sa.Text, primary_key=True),
    _text("suite"),
    _text("reason"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("claims", sa.Integer, nullable=False, server_default="0"),
    _optional("claimed_by"),
    _optional("claimed_at"),
    sa.Index(None, "claimed_by"),
    sa.Index(None, "problem"),
)

environments = sa.Table(
    "environments",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    _text("content"),
)

predictions = sa.Table(
    "predictions",
    metadata,
    sa.Column("candidate", sa.Text, sa.ForeignKey("candidates.id"), primary_key=True),
    sa.Column("input_digest", sa.Text, primary_key=True),
    sa.Column("draw", sa.Integer, primary_key=True, autoincrement=False, server_default="0"),
    _optional("answer"),
    _optional("outputs"),
    _optional("error"),
    _text("environment"),
    _text("made_at"),
    sqlite_with_rowid=False,
)

evaluations = sa.Table(
    "evaluations",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("candidate", sa.Text, sa.ForeignKey("candidates.id"), nullable=False),
    _text("problem"),
    _text("suite"),
    _text("state"),
    _optional("reason"),
    sa.Column("passes", sa.Integer),
    sa.Column("answered", sa.Integer, nullable=False),
    sa.Column("errors", sa.Integer, nullable=False),
    _text("measures", "[]"),
    _text("warnings", "[]"),
    _text("environments", "[]"),
    _text("counts", "{}"),
    sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
    _text("run", ""),
    _text("evaluated_at"),
    sa.UniqueConstraint("candidate", "problem", "suite"),
    sa.Index(None, "problem", "suite"),
    _one_of("state", "ok", "error", "not applicable"),
    sqlite_autoincrement=True,
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("evaluation", sa.Integer, sa.ForeignKey("evaluations.number"), primary_key=True, autoincrement=False),
    sa.Column("pattern", sa.Text, primary_key=True),
    _text("outcome"),
    _optional("reason"),
    _one_of("outcome", "passed", "failed", "error"),
    sqlite_with_rowid=False,
)

# One row a watched file (or problem written with SQL): what it looked like when it was last read,
# and why it was refused, if it was.
sources = sa.Table(
    "sources",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    _text("kind"),
    _text("signature"),
    _optional("refusal"),
    _text("at"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    _text("at"),
    _text("actor"),
    _text("verb"),
    _text("subject"),
    _text("detail", ""),
    sqlite_autoincrement=True,
)

# What people decided. A waiver counts until the end of its last day, or until it is withdrawn.
waivers = sa.Table(
    "waivers",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("candidate", sa.Text, sa.ForeignKey("candidates.id"), nullable=False),
    sa.Column("problem", sa.Text, sa.ForeignKey("problems.id"), nullable=False),
    _optional("pattern"),
    _text("person"),
    _text("reason"),
    _text("until"),
    _text("at"),
    _optional("withdrawn_at"),
    sqlite_autoincrement=True,
)

# Append-only, like `aliases`: `evidence` is what the person saw, named by its digest.
sign_offs = sa.Table(
    "sign_offs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("candidate", sa.Text, sa.ForeignKey("candidates.id"), nullable=False),
    _text("person"),
    _text("role"),
    _text("decision"),
    _text("words", ""),
    _text("at"),
    _text("evidence_digest"),
    _text("evidence"),
    _one_of("decision", "approve", "reject", "approve with waivers"),
    sqlite_autoincrement=True,
)

# How an entry of `aliases` came about, where it was not adopted: a promotion rests on a sign-off.
promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("alias", sa.Integer, sa.ForeignKey("aliases.number"), primary_key=True, autoincrement=False),
    _text("verb"),
    sa.Column("sign_off", sa.Integer, sa.ForeignKey("sign_offs.number")),
    _one_of("verb", "promote", "roll back"),
)

# One row a change: the last row of a candidate is its verdict as it was judged last.
verdicts = sa.Table(
    "verdicts",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("candidate", sa.Text, sa.ForeignKey("candidates.id"), nullable=False),
    _text("verdict"),
    _text("evidence_digest"),
    _text("evidence"),
    _text("judged_at"),
    sa.Index(None, "candidate"),
    _one_of("verdict", "fail", "incomplete", "inconclusive", "pass"),
    sqlite_autoincrement=True,
)

# What somebody is to be told of, once: `key` names the event. It waits here until it is delivered.
notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    _text("event"),
    _text("payload"),
    _text("made_at"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    _text("next_at"),
    _optional("sent_at"),
    _optional("error"),
    sqlite_autoincrement=True,
)

# Evaluations that another one on the same suite took the place of, with their outcomes, as JSON.
superseded = sa.Table(
    "superseded",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("candidate", sa.Text, sa.ForeignKey("candidates.id"), nullable=False),
    _text("problem"),
    _text("suite"),
    _text("evaluation"),
    _text("outcomes"),
    _text("superseded_at"),
    sa.Index(None, "candidate", "problem"),
    sqlite_autoincrement=True,
)

# How many of a pattern's draws passed, where there is more than one: its reliability.
reliabilities = sa.Table(
    "reliabilities",
    metadata,
    sa.Column("evaluation", sa.Integer, sa.ForeignKey("evaluations.number"), primary_key=True, autoincrement=False),
    sa.Column("pattern", sa.Text, primary_key=True),
    sa.Column("passed", sa.Integer, nullable=False),
    sa.Column("draws", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)

# -- production -------------------------------------------------------------------------------------

# Append-only: the last row is in force. `origin` is the file, or that it was inferred from the reference and frozen.
production_schemas = sa.Table(
    "production_schemas",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    _text("digest"),
    _text("content"),
    _text("origin"),
    _text("at"),
    sqlite_autoincrement=True,
)

# `digest` names the kept rows in the archive. A batch is quarantined whole, and released by a person.
batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("state"),
    _text("digest"),
    _text("schema"),
    sa.Column("rows", sa.Integer, nullable=False),
    _text("starts"),
    _text("ends"),
    _text("source"),
    _text("received_at"),
    _optional("candidate"),
    sa.Column("predicted", sa.Integer, nullable=False, server_default="0"),
    sa.Column("labelled", sa.Integer, nullable=False, server_default="0"),
    _text("reasons", "[]"),
    _text("notes", "[]"),
    _optional("released_by"),
    _optional("released_why"),
    _optional("released_at"),
    _text("updated_at", ""),
    _one_of("state", "accepted", "quarantined", "released"),
)

# What a check of a batch found, by the digest of all that the answer depends on; the last row of a batch counts.
drift_results = sa.Table(
    "drift_results",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("batch", sa.Text, sa.ForeignKey("batches.id"), nullable=False),
    _text("question"),
    _text("state"),
    _text("content"),
    _text("checked_at"),
    sa.Index(None, "batch"),
    _one_of("state", "drift", "no drift", "not enough data", "not compared"),
    sqlite_autoincrement=True,
)

outlier_results = sa.Table(
    "outlier_results",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("batch", sa.Text, sa.ForeignKey("batches.id"), nullable=False),
    _text("question"),
    _text("content"),
    _text("checked_at"),
    sa.Index(None, "batch"),
    sqlite_autoincrement=True,
)

# Inputs that may become patterns. `problem` may be one that is proposed too, and is made when one of them is accepted.
proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("problem"),
    _text("inputs"),
    _text("input_digest"),
    _text("polarity"),
    _text("origin"),
    _text("state", "proposed"),
    _text("cause", ""),
    _text("why", ""),
    _optional("problem_title"),
    _optional("expected"),
    _text("expectation", "equals"),
    _optional("suggested"),
    _optional("tolerance"),
    _text("output", "answer"),
    _optional("twin"),
    _optional("parent"),
    _text("selected_on", ""),
    sa.Column("cluster", sa.Integer),
    sa.Column("batch", sa.Text, sa.ForeignKey("batches.id")),
    sa.Column("row", sa.Integer),
    _text("varied", ""),
    _text("made_at"),
    _optional("decided_by"),
    _text("decided_why", ""),
    _optional("decided_at"),
    _text("notes", "[]"),
    sa.Index(None, "input_digest"),
    _one_of("polarity", "positive", "negative"),
    _one_of("origin", "production", "contrived", "outlier", "rating", "import"),
    _one_of("state", "proposed", "accepted", "rejected"),
)

# What users thought of answers. Append-only, and no score depends on it.
ratings = sa.Table(
    "ratings",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("candidate", sa.Text, sa.ForeignKey("candidates.id"), nullable=False),
    _text("inputs"),
    _text("input_digest"),
    _text("prediction"),
    _optional("thumb"),
    sa.Column("stars", sa.Integer),
    _text("words", ""),
    _text("person", ""),
    sa.Column("batch", sa.Text, sa.ForeignKey("batches.id")),
    _optional("key"),
    _text("at"),
    sa.Index(None, "input_digest"),
    _one_of("thumb", "up", "down"),
    sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
    sa.CheckConstraint("(thumb IS NULL) <> (stars IS NULL)", name="one"),
    sqlite_autoincrement=True,
)
