"""The first tables and triggers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SQLITE_TRIGGERS = {
    "patterns_no_orphan_insert": (
        "CREATE TRIGGER patterns_no_orphan_insert BEFORE INSERT ON patterns WHEN NOT EXISTS (SELECT"
        " 1 FROM problems WHERE id = NEW.problem) BEGIN SELECT RAISE(ABORT, 'no such problem: inser"
        "t the problem first'); END"
    ),
    "patterns_no_orphan_update": (
        "CREATE TRIGGER patterns_no_orphan_update BEFORE UPDATE OF problem ON patterns WHEN NOT EXI"
        "STS (SELECT 1 FROM problems WHERE id = NEW.problem) BEGIN SELECT RAISE(ABORT, 'no such pro"
        "blem: insert the problem first'); END"
    ),
    "patterns_no_overwrite": (
        "CREATE TRIGGER patterns_no_overwrite BEFORE UPDATE OF problem ON patterns WHEN NEW.problem"
        " IS NOT OLD.problem AND EXISTS (SELECT 1 FROM patterns WHERE problem = NEW.problem AND id "
        "= NEW.id) BEGIN SELECT RAISE(ABORT, 'the other problem has a pattern of this id: retire on"
        "e of the two'); END"
    ),
    "patterns_no_rename": (
        "CREATE TRIGGER patterns_no_rename BEFORE UPDATE OF id ON patterns WHEN NEW.id IS NOT OLD.i"
        "d BEGIN SELECT RAISE(ABORT, 'ids are immutable: retire this row and insert another'); END"
    ),
    "patterns_inserted": (
        "CREATE TRIGGER patterns_inserted AFTER INSERT ON patterns BEGIN UPDATE problems SET revisi"
        "on = revision + 1 WHERE id = NEW.problem; END"
    ),
    "patterns_updated": (
        "CREATE TRIGGER patterns_updated AFTER UPDATE ON patterns BEGIN UPDATE problems SET revisio"
        "n = revision + 1 WHERE id IN (NEW.problem, OLD.problem); END"
    ),
    "patterns_retired": (
        "CREATE TRIGGER patterns_retired BEFORE DELETE ON patterns BEGIN UPDATE patterns SET status"
        " = 'retired' WHERE problem = OLD.problem AND id = OLD.id; SELECT RAISE(IGNORE); END"
    ),
    "problems_no_replace": (
        "CREATE TRIGGER problems_no_replace AFTER INSERT ON problems WHEN EXISTS (SELECT 1 FROM pat"
        "terns WHERE problem = NEW.id) OR EXISTS (SELECT 1 FROM suites WHERE problem = NEW.id) BEGI"
        "N SELECT RAISE(ABORT, 'REPLACE would lose what was frozen of this problem: use UPDATE'); E"
        "ND"
    ),
    "problems_updated": (
        "CREATE TRIGGER problems_updated AFTER UPDATE OF title, description, owner, severity, repor"
        "ted_by, reported_at, state, inputs, answer_type, labels, positive_label, metric, requireme"
        "nt ON problems WHEN NEW.title IS NOT OLD.title OR NEW.description IS NOT OLD.description O"
        "R NEW.owner IS NOT OLD.owner OR NEW.severity IS NOT OLD.severity OR NEW.reported_by IS NOT"
        " OLD.reported_by OR NEW.reported_at IS NOT OLD.reported_at OR NEW.state IS NOT OLD.state O"
        "R NEW.inputs IS NOT OLD.inputs OR NEW.answer_type IS NOT OLD.answer_type OR NEW.labels IS "
        "NOT OLD.labels OR NEW.positive_label IS NOT OLD.positive_label OR NEW.metric IS NOT OLD.me"
        "tric OR NEW.requirement IS NOT OLD.requirement BEGIN UPDATE problems SET revision = OLD.re"
        "vision + 1 WHERE id = NEW.id; END"
    ),
    "candidates_no_replace": (
        "CREATE TRIGGER candidates_no_replace BEFORE INSERT ON candidates WHEN EXISTS (SELECT 1 FRO"
        "M candidates WHERE id = NEW.id OR number = NEW.number) BEGIN SELECT RAISE(ABORT, 'candidat"
        "es never change: register other content under an id of its own'); END"
    ),
    "candidates_immutable": (
        "CREATE TRIGGER candidates_immutable BEFORE UPDATE OF id, digest, sha256 ON candidates WHEN"
        " NEW.id IS NOT OLD.id OR NEW.digest IS NOT OLD.digest OR NEW.sha256 IS NOT OLD.sha256 BEGI"
        "N SELECT RAISE(ABORT, 'candidates never change: register other content under an id of its "
        "own'); END"
    ),
    "candidates_keep_production": (
        "CREATE TRIGGER candidates_keep_production BEFORE UPDATE OF state ON candidates WHEN NEW.st"
        "ate = 'archived' AND NEW.id = (SELECT candidate FROM aliases WHERE alias = 'production' OR"
        "DER BY number DESC LIMIT 1) BEGIN SELECT RAISE(ABORT, 'this candidate is production and ca"
        "nnot be archived: promote another one first'); END"
    ),
    "candidates_archived": (
        "CREATE TRIGGER candidates_archived BEFORE DELETE ON candidates BEGIN UPDATE candidates SET"
        " state = 'archived' WHERE id = OLD.id; SELECT RAISE(IGNORE); END"
    ),
    "candidates_left": (
        "CREATE TRIGGER candidates_left AFTER UPDATE OF state ON candidates WHEN NEW.state = 'archi"
        "ved' BEGIN DELETE FROM due WHERE candidate = NEW.id; END"
    ),
    "problems_no_rename": (
        "CREATE TRIGGER problems_no_rename BEFORE UPDATE OF id ON problems WHEN NEW.id IS NOT OLD.i"
        "d BEGIN SELECT RAISE(ABORT, 'ids are immutable: retire this row and insert another'); END"
    ),
    "problems_closed": (
        "CREATE TRIGGER problems_closed BEFORE DELETE ON problems BEGIN UPDATE problems SET state ="
        " 'closed' WHERE id = OLD.id; SELECT RAISE(IGNORE); END"
    ),
    "problems_left": (
        "CREATE TRIGGER problems_left AFTER UPDATE OF state ON problems WHEN NEW.state = 'closed' B"
        "EGIN DELETE FROM due WHERE problem = NEW.id; END"
    ),
    "benchmarks_no_rename": (
        "CREATE TRIGGER benchmarks_no_rename BEFORE UPDATE OF id ON benchmarks WHEN NEW.id IS NOT O"
        "LD.id BEGIN SELECT RAISE(ABORT, 'ids are immutable: retire this row and insert another'); "
        "END"
    ),
    "benchmarks_closed": (
        "CREATE TRIGGER benchmarks_closed BEFORE DELETE ON benchmarks BEGIN UPDATE benchmarks SET s"
        "tate = 'closed' WHERE id = OLD.id; SELECT RAISE(IGNORE); END"
    ),
    "benchmarks_left": (
        "CREATE TRIGGER benchmarks_left AFTER UPDATE OF state ON benchmarks WHEN NEW.state = 'close"
        "d' BEGIN DELETE FROM due WHERE problem = NEW.id; END"
    ),
}
POSTGRESQL_FUNCTIONS = {
    "no_rename": (
        "CREATE FUNCTION no_rename() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '"
        "ids are immutable: retire this row and insert another'; END $$"
    ),
    "patterns_changed": (
        "CREATE FUNCTION patterns_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE pro"
        "blems SET revision = revision + 1 WHERE id = NEW.problem OR (TG_OP = 'UPDATE' AND id = OLD"
        ".problem); RETURN NULL; END $$"
    ),
    "patterns_retired": (
        "CREATE FUNCTION patterns_retired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE pat"
        "terns SET status = 'retired' WHERE problem = OLD.problem AND id = OLD.id; RETURN NULL; END"
        " $$"
    ),
    "problems_updated": (
        "CREATE FUNCTION problems_updated() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.revisi"
        "on := OLD.revision + 1; RETURN NEW; END $$"
    ),
    "problems_closed": (
        "CREATE FUNCTION problems_closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE prob"
        "lems SET state = 'closed' WHERE id = OLD.id; RETURN NULL; END $$"
    ),
    "benchmarks_closed": (
        "CREATE FUNCTION benchmarks_closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE be"
        "nchmarks SET state = 'closed' WHERE id = OLD.id; RETURN NULL; END $$"
    ),
    "column_left": (
        "CREATE FUNCTION column_left() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM due"
        " WHERE problem = NEW.id; RETURN NULL; END $$"
    ),
    "candidates_left": (
        "CREATE FUNCTION candidates_left() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM"
        " due WHERE candidate = NEW.id; RETURN NULL; END $$"
    ),
    "candidates_immutable": (
        "CREATE FUNCTION candidates_immutable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
        "EXCEPTION 'candidates never change: register other content under an id of its own'; END $$"
    ),
    "candidates_keep_production": (
        "CREATE FUNCTION candidates_keep_production() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.id = (SELECT candidate FROM aliases WHERE alias = 'production' ORDER BY number DESC"
        " LIMIT 1) THEN RAISE EXCEPTION 'this candidate is production and cannot be archived: promo"
        "te another one first'; END IF; RETURN NEW; END $$"
    ),
    "candidates_archived": (
        "CREATE FUNCTION candidates_archived() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE "
        "candidates SET state = 'archived' WHERE id = OLD.id; RETURN NULL; END $$"
    ),
    "no_truncate": (
        "CREATE FUNCTION no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
        " 'TRUNCATE would lose rows that evaluations refer to: use DELETE, which retires them'; END"
        " $$"
    ),
}
POSTGRESQL_TRIGGERS = {
    "patterns_no_rename": (
        "CREATE TRIGGER patterns_no_rename BEFORE UPDATE ON patterns FOR EACH ROW WHEN (NEW.id IS D"
        "ISTINCT FROM OLD.id) EXECUTE FUNCTION no_rename()"
    ),
    "patterns_inserted": (
        "CREATE TRIGGER patterns_inserted AFTER INSERT ON patterns FOR EACH ROW EXECUTE FUNCTION patterns_changed()"
    ),
    "patterns_updated": (
        "CREATE TRIGGER patterns_updated AFTER UPDATE ON patterns FOR EACH ROW EXECUTE FUNCTION patterns_changed()"
    ),
    "patterns_retired": (
        "CREATE TRIGGER patterns_retired BEFORE DELETE ON patterns FOR EACH ROW EXECUTE FUNCTION patterns_retired()"
    ),
    "patterns_no_truncate": (
        "CREATE TRIGGER patterns_no_truncate BEFORE TRUNCATE ON patterns FOR EACH STATEMENT EXECUTE"
        " FUNCTION no_truncate()"
    ),
    "problems_updated": (
        "CREATE TRIGGER problems_updated BEFORE UPDATE ON problems FOR EACH ROW WHEN (NEW.title IS "
        "DISTINCT FROM OLD.title OR NEW.description IS DISTINCT FROM OLD.description OR NEW.owner I"
        "S DISTINCT FROM OLD.owner OR NEW.severity IS DISTINCT FROM OLD.severity OR NEW.reported_by"
        " IS DISTINCT FROM OLD.reported_by OR NEW.reported_at IS DISTINCT FROM OLD.reported_at OR N"
        "EW.state IS DISTINCT FROM OLD.state OR NEW.inputs IS DISTINCT FROM OLD.inputs OR NEW.answe"
        "r_type IS DISTINCT FROM OLD.answer_type OR NEW.labels IS DISTINCT FROM OLD.labels OR NEW.p"
        "ositive_label IS DISTINCT FROM OLD.positive_label OR NEW.metric IS DISTINCT FROM OLD.metri"
        "c OR NEW.requirement IS DISTINCT FROM OLD.requirement) EXECUTE FUNCTION problems_updated()"
    ),
    "candidates_immutable": (
        "CREATE TRIGGER candidates_immutable BEFORE UPDATE ON candidates FOR EACH ROW WHEN (NEW.id "
        "IS DISTINCT FROM OLD.id OR NEW.digest IS DISTINCT FROM OLD.digest OR NEW.sha256 IS DISTINC"
        "T FROM OLD.sha256) EXECUTE FUNCTION candidates_immutable()"
    ),
    "candidates_keep_production": (
        "CREATE TRIGGER candidates_keep_production BEFORE UPDATE ON candidates FOR EACH ROW WHEN (N"
        "EW.state = 'archived') EXECUTE FUNCTION candidates_keep_production()"
    ),
    "candidates_archived": (
        "CREATE TRIGGER candidates_archived BEFORE DELETE ON candidates FOR EACH ROW EXECUTE FUNCTI"
        "ON candidates_archived()"
    ),
    "candidates_left": (
        "CREATE TRIGGER candidates_left AFTER UPDATE ON candidates FOR EACH ROW WHEN (NEW.state = '"
        "archived') EXECUTE FUNCTION candidates_left()"
    ),
    "candidates_no_truncate": (
        "CREATE TRIGGER candidates_no_truncate BEFORE TRUNCATE ON candidates FOR EACH STATEMENT EXE"
        "CUTE FUNCTION no_truncate()"
    ),
    "problems_no_rename": (
        "CREATE TRIGGER problems_no_rename BEFORE UPDATE ON problems FOR EACH ROW WHEN (NEW.id IS D"
        "ISTINCT FROM OLD.id) EXECUTE FUNCTION no_rename()"
    ),
    "problems_closed": (
        "CREATE TRIGGER problems_closed BEFORE DELETE ON problems FOR EACH ROW EXECUTE FUNCTION problems_closed()"
    ),
    "problems_left": (
        "CREATE TRIGGER problems_left AFTER UPDATE ON problems FOR EACH ROW WHEN (NEW.state = 'clos"
        "ed') EXECUTE FUNCTION column_left()"
    ),
    "problems_no_truncate": (
        "CREATE TRIGGER problems_no_truncate BEFORE TRUNCATE ON problems FOR EACH STATEMENT EXECUTE"
        " FUNCTION no_truncate()"
    ),
    "benchmarks_no_rename": (
        "CREATE TRIGGER benchmarks_no_rename BEFORE UPDATE ON benchmarks FOR EACH ROW WHEN (NEW.id "
        "IS DISTINCT FROM OLD.id) EXECUTE FUNCTION no_rename()"
    ),
    "benchmarks_closed": (
        "CREATE TRIGGER benchmarks_closed BEFORE DELETE ON benchmarks FOR EACH ROW EXECUTE FUNCTION benchmarks_closed()"
    ),
    "benchmarks_left": (
        "CREATE TRIGGER benchmarks_left AFTER UPDATE ON benchmarks FOR EACH ROW WHEN (NEW.state = '"
        "closed') EXECUTE FUNCTION column_left()"
    ),
    "benchmarks_no_truncate": (
        "CREATE TRIGGER benchmarks_no_truncate BEFORE TRUNCATE ON benchmarks FOR EACH STATEMENT EXE"
        "CUTE FUNCTION no_truncate()"
    ),
}


def upgrade() -> None:
    # ### commands auto generated by Alembic - please adjust! ###
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "benchmark_data",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_benchmark_data")),
    )
    op.create_table(
        "benchmarks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("data_digest", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'watched', 'closed')", name=op.f("ck_benchmarks_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benchmarks")),
    )
    op.create_table(
        "candidates",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("libraries", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'archived')", name=op.f("ck_candidates_state")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_candidates")),
        sa.UniqueConstraint("id", name=op.f("uq_candidates_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "environments",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_environments")),
    )
    op.create_table(
        "problems",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("severity", sa.Text(), server_default="medium", nullable=False),
        sa.Column("reported_by", sa.Text(), server_default="", nullable=False),
        sa.Column("reported_at", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("inputs", sa.Text(), server_default="{}", nullable=False),
        sa.Column("answer_type", sa.Text(), server_default="text", nullable=False),
        sa.Column("labels", sa.Text(), server_default="[]", nullable=False),
        sa.Column("positive_label", sa.Text(), nullable=True),
        sa.Column("metric", sa.Text(), server_default="pass_rate", nullable=False),
        sa.Column("requirement", sa.Text(), server_default="{}", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("frozen_revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("frozen", sa.Text(), nullable=True),
        sa.Column("suite", sa.Text(), nullable=True),
        sa.Column("imported_digest", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.CheckConstraint("severity IN ('low', 'medium', 'high', 'critical')", name=op.f("ck_problems_severity")),
        sa.CheckConstraint("state IN ('open', 'watched', 'closed')", name=op.f("ck_problems_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problems")),
    )
    op.create_table(
        "sources",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_sources")),
    )
    op.create_table(
        "suites",
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("patterns", sa.Integer(), nullable=False),
        sa.Column("frozen_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("problem", "digest", name=op.f("pk_suites")),
    )
    op.create_table(
        "aliases",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("candidate", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["candidate"], ["candidates.id"], name=op.f("fk_aliases_candidate")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_aliases")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "due",
        sa.Column("candidate", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claims", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["candidate"], ["candidates.id"], name=op.f("fk_due_candidate")),
        sa.PrimaryKeyConstraint("candidate", "problem", name=op.f("pk_due")),
    )
    op.create_index(op.f("ix_due_claimed_by"), "due", ["claimed_by"], unique=False)
    op.create_index(op.f("ix_due_problem"), "due", ["problem"], unique=False)
    op.create_table(
        "evaluations",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("candidate", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("passes", sa.Integer(), nullable=True),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("measures", sa.Text(), server_default="[]", nullable=False),
        sa.Column("warnings", sa.Text(), server_default="[]", nullable=False),
        sa.Column("environments", sa.Text(), server_default="[]", nullable=False),
        sa.Column("counts", sa.Text(), server_default="{}", nullable=False),
        sa.Column("seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("run", sa.Text(), server_default="", nullable=False),
        sa.Column("evaluated_at", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('ok', 'error', 'not applicable')", name=op.f("ck_evaluations_state")),
        sa.ForeignKeyConstraint(["candidate"], ["candidates.id"], name=op.f("fk_evaluations_candidate")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_evaluations")),
        sa.UniqueConstraint("candidate", "problem", "suite", name=op.f("uq_evaluations_candidate_problem_suite")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_evaluations_problem_suite"), "evaluations", ["problem", "suite"], unique=False)
    op.create_table(
        "patterns",
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=True),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("expectation", sa.Text(), server_default="equals", nullable=False),
        sa.Column("output", sa.Text(), server_default="answer", nullable=False),
        sa.Column("tolerance", sa.Text(), nullable=True),
        sa.Column("polarity", sa.Text(), server_default="positive", nullable=False),
        sa.Column("origin", sa.Text(), server_default="import", nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("canary", sa.Boolean(create_constraint=True, name="canary"), server_default="0", nullable=False),
        sa.Column("twin", sa.Text(), nullable=True),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("selected_on", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("imported_digest", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "origin IN ('production', 'contrived', 'outlier', 'rating', 'import')", name=op.f("ck_patterns_origin")
        ),
        sa.CheckConstraint("polarity IN ('positive', 'negative')", name=op.f("ck_patterns_polarity")),
        sa.CheckConstraint("status IN ('proposed', 'active', 'retired')", name=op.f("ck_patterns_status")),
        sa.ForeignKeyConstraint(["problem"], ["problems.id"], name=op.f("fk_patterns_problem")),
        sa.PrimaryKeyConstraint("problem", "id", name=op.f("pk_patterns")),
    )
    op.create_table(
        "predictions",
        sa.Column("candidate", sa.Text(), nullable=False),
        sa.Column("input_digest", sa.Text(), nullable=False),
        sa.Column("draw", sa.Integer(), server_default="0", autoincrement=False, nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("outputs", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["candidate"], ["candidates.id"], name=op.f("fk_predictions_candidate")),
        sa.PrimaryKeyConstraint("candidate", "input_digest", "draw", name=op.f("pk_predictions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outcomes",
        sa.Column("evaluation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("outcome IN ('passed', 'failed', 'error')", name=op.f("ck_outcomes_outcome")),
        sa.ForeignKeyConstraint(["evaluation"], ["evaluations.number"], name=op.f("fk_outcomes_evaluation")),
        sa.PrimaryKeyConstraint("evaluation", "pattern", name=op.f("pk_outcomes")),
        sqlite_with_rowid=False,
    )
    # ### end Alembic commands ###
    if op.get_bind().dialect.name == "sqlite":
        statements = list(SQLITE_TRIGGERS.values())
    else:
        statements = [*POSTGRESQL_FUNCTIONS.values(), *POSTGRESQL_TRIGGERS.values()]
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("the first migration has nothing before it")
