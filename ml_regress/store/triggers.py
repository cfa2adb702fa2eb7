"""Triggers: what holds for whoever writes, also for a tester with plain SQL.

Any change of a problem or of its patterns raises `problems.revision`; ids never change; DELETE
retires a pattern, closes a problem or a benchmark and archives a candidate; production is never
archived; what leaves the matrix leaves the work list. SQLite checks foreign keys only where a
connection asks for it, so orphans are refused by a trigger there. SQLite's REPLACE deletes without
asking, so it is refused wherever more than the written columns would be lost.
"""

# ruff: noqa: S608 -- the texts of triggers are built from constants of this module alone

PROBLEM_COLUMNS = (
    "title",
    "description",
    "owner",
    "severity",
    "reported_by",
    "reported_at",
    "state",
    "inputs",
    "answer_type",
    "labels",
    "positive_label",
    "metric",
    "requirement",
)
# What names the content of a candidate. Its notes may be corrected.
CANDIDATE_COLUMNS = ("id", "digest", "sha256")

_DIMENSION = ("problems", "benchmarks")

NO_RENAME = "ids are immutable: retire this row and insert another"
NO_OTHER_CONTENT = "candidates never change: register other content under an id of its own"
NO_OVERWRITE = "the other problem has a pattern of this id: retire one of the two"
NO_REPLACE = "REPLACE would lose what was frozen of this problem: use UPDATE"
ORPHAN = "no such problem: insert the problem first"
NO_ARCHIVE = "this candidate is production and cannot be archived: promote another one first"
NO_TRUNCATE = "TRUNCATE would lose rows that evaluations refer to: use DELETE, which retires them"
NO_OTHER_SIGN_OFF = "a sign-off stands as it was signed: sign again"
_IS_PRODUCTION = "{row}.id = (SELECT candidate FROM aliases WHERE alias = 'production' ORDER BY number DESC LIMIT 1)"


def _sqlite() -> dict[str, str]:
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in PROBLEM_COLUMNS)
    touched = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in CANDIDATE_COLUMNS)
    no_problem = "NOT EXISTS (SELECT 1 FROM problems WHERE id = NEW.problem)"
    body = {
        "patterns_no_orphan_insert": f"BEFORE INSERT ON patterns WHEN {no_problem} "
        f"BEGIN SELECT RAISE(ABORT, '{ORPHAN}'); END",
        "patterns_no_orphan_update": f"BEFORE UPDATE OF problem ON patterns WHEN {no_problem} "
        f"BEGIN SELECT RAISE(ABORT, '{ORPHAN}'); END",
        "patterns_no_overwrite": "BEFORE UPDATE OF problem ON patterns WHEN NEW.problem IS NOT OLD.problem AND EXISTS "
        "(SELECT 1 FROM patterns WHERE problem = NEW.problem AND id = NEW.id) "
        f"BEGIN SELECT RAISE(ABORT, '{NO_OVERWRITE}'); END",
        "patterns_no_rename": "BEFORE UPDATE OF id ON patterns WHEN NEW.id IS NOT OLD.id "
        f"BEGIN SELECT RAISE(ABORT, '{NO_RENAME}'); END",
        "patterns_inserted": "AFTER INSERT ON patterns "
        "BEGIN UPDATE problems SET revision = revision + 1 WHERE id = NEW.problem; END",
        "patterns_updated": "AFTER UPDATE ON patterns "
        "BEGIN UPDATE problems SET revision = revision + 1 WHERE id IN (NEW.problem, OLD.problem); END",
        "patterns_retired": "BEFORE DELETE ON patterns BEGIN UPDATE patterns SET status = 'retired' "
        "WHERE problem = OLD.problem AND id = OLD.id; SELECT RAISE(IGNORE); END",
        # A row that is new and has patterns or suites already took the place of another.
        "problems_no_replace": "AFTER INSERT ON problems WHEN EXISTS (SELECT 1 FROM patterns WHERE problem = NEW.id) "
        f"OR EXISTS (SELECT 1 FROM suites WHERE problem = NEW.id) BEGIN SELECT RAISE(ABORT, '{NO_REPLACE}'); END",
        "problems_updated": f"AFTER UPDATE OF {', '.join(PROBLEM_COLUMNS)} ON problems WHEN {changed} "
        "BEGIN UPDATE problems SET revision = OLD.revision + 1 WHERE id = NEW.id; END",
        "candidates_no_replace": "BEFORE INSERT ON candidates WHEN EXISTS "
        "(SELECT 1 FROM candidates WHERE id = NEW.id OR number = NEW.number) "
        f"BEGIN SELECT RAISE(ABORT, '{NO_OTHER_CONTENT}'); END",
        "candidates_immutable": f"BEFORE UPDATE OF {', '.join(CANDIDATE_COLUMNS)} ON candidates "
        f"WHEN {touched} BEGIN SELECT RAISE(ABORT, '{NO_OTHER_CONTENT}'); END",
        "candidates_keep_production": "BEFORE UPDATE OF state ON candidates WHEN NEW.state = 'archived' "
        f"AND {_IS_PRODUCTION.format(row='NEW')} BEGIN SELECT RAISE(ABORT, '{NO_ARCHIVE}'); END",
        "candidates_archived": "BEFORE DELETE ON candidates BEGIN UPDATE candidates SET state = 'archived' "
        "WHERE id = OLD.id; SELECT RAISE(IGNORE); END",
        "candidates_left": "AFTER UPDATE OF state ON candidates WHEN NEW.state = 'archived' "
        "BEGIN DELETE FROM due WHERE candidate = NEW.id; END",
    }
    for event in ("UPDATE", "DELETE"):
        body[f"sign_offs_no_{event.lower()}"] = (
            f"BEFORE {event} ON sign_offs BEGIN SELECT RAISE(ABORT, '{NO_OTHER_SIGN_OFF}'); END"
        )
    for table in _DIMENSION:
        body[f"{table}_no_rename"] = (
            f"BEFORE UPDATE OF id ON {table} WHEN NEW.id IS NOT OLD.id BEGIN SELECT RAISE(ABORT, '{NO_RENAME}'); END"
        )
        body[f"{table}_closed"] = (
            f"BEFORE DELETE ON {table} BEGIN UPDATE {table} SET state = 'closed' "
            "WHERE id = OLD.id; SELECT RAISE(IGNORE); END"
        )
        body[f"{table}_left"] = (
            f"AFTER UPDATE OF state ON {table} WHEN NEW.state = 'closed' "
            "BEGIN DELETE FROM due WHERE problem = NEW.id; END"
        )
    return {name: f"CREATE TRIGGER {name} {text}" for name, text in body.items()}


def _postgresql() -> tuple[dict[str, str], dict[str, str]]:
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in PROBLEM_COLUMNS)
    touched = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in CANDIDATE_COLUMNS)
    bodies = {
        "no_rename": f"RAISE EXCEPTION '{NO_RENAME}';",
        "patterns_changed": "UPDATE problems SET revision = revision + 1 WHERE id = NEW.problem "
        "OR (TG_OP = 'UPDATE' AND id = OLD.problem); RETURN NULL;",
        "patterns_retired": "UPDATE patterns SET status = 'retired' WHERE problem = OLD.problem AND id = OLD.id; "
        "RETURN NULL;",
        "problems_updated": "NEW.revision := OLD.revision + 1; RETURN NEW;",
        "problems_closed": "UPDATE problems SET state = 'closed' WHERE id = OLD.id; RETURN NULL;",
        "benchmarks_closed": "UPDATE benchmarks SET state = 'closed' WHERE id = OLD.id; RETURN NULL;",
        "column_left": "DELETE FROM due WHERE problem = NEW.id; RETURN NULL;",
        "candidates_left": "DELETE FROM due WHERE candidate = NEW.id; RETURN NULL;",
        "candidates_immutable": f"RAISE EXCEPTION '{NO_OTHER_CONTENT}';",
        "candidates_keep_production": f"IF {_IS_PRODUCTION.format(row='NEW')} THEN "
        f"RAISE EXCEPTION '{NO_ARCHIVE}'; END IF; RETURN NEW;",
        "candidates_archived": "UPDATE candidates SET state = 'archived' WHERE id = OLD.id; RETURN NULL;",
        "no_truncate": f"RAISE EXCEPTION '{NO_TRUNCATE}';",
        "sign_offs_stand": f"RAISE EXCEPTION '{NO_OTHER_SIGN_OFF}';",
    }
    functions = {
        name: f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        for name, body in bodies.items()
    }
    events = {
        "patterns_no_rename": ("BEFORE UPDATE ON patterns", "ROW WHEN (NEW.id IS DISTINCT FROM OLD.id)", "no_rename"),
        "patterns_inserted": ("AFTER INSERT ON patterns", "ROW", "patterns_changed"),
        "patterns_updated": ("AFTER UPDATE ON patterns", "ROW", "patterns_changed"),
        "patterns_retired": ("BEFORE DELETE ON patterns", "ROW", ""),
        "patterns_no_truncate": ("BEFORE TRUNCATE ON patterns", "STATEMENT", "no_truncate"),
        "problems_updated": ("BEFORE UPDATE ON problems", f"ROW WHEN ({changed})", ""),
        "candidates_immutable": ("BEFORE UPDATE ON candidates", f"ROW WHEN ({touched})", ""),
        "candidates_keep_production": (
            "BEFORE UPDATE ON candidates",
            "ROW WHEN (NEW.state = 'archived')",
            "",
        ),
        "candidates_archived": ("BEFORE DELETE ON candidates", "ROW", ""),
        "candidates_left": ("AFTER UPDATE ON candidates", "ROW WHEN (NEW.state = 'archived')", ""),
        "candidates_no_truncate": ("BEFORE TRUNCATE ON candidates", "STATEMENT", "no_truncate"),
        "sign_offs_no_update": ("BEFORE UPDATE ON sign_offs", "ROW", "sign_offs_stand"),
        "sign_offs_no_delete": ("BEFORE DELETE ON sign_offs", "ROW", "sign_offs_stand"),
        "sign_offs_no_truncate": ("BEFORE TRUNCATE ON sign_offs", "STATEMENT", "no_truncate"),
    }
    for table in _DIMENSION:
        renamed = "ROW WHEN (NEW.id IS DISTINCT FROM OLD.id)"
        events[f"{table}_no_rename"] = (f"BEFORE UPDATE ON {table}", renamed, "no_rename")
        events[f"{table}_closed"] = (f"BEFORE DELETE ON {table}", "ROW", "")
        events[f"{table}_left"] = (f"AFTER UPDATE ON {table}", "ROW WHEN (NEW.state = 'closed')", "column_left")
        events[f"{table}_no_truncate"] = (f"BEFORE TRUNCATE ON {table}", "STATEMENT", "no_truncate")
    triggers = {
        name: f"CREATE TRIGGER {name} {when} FOR EACH {level} EXECUTE FUNCTION {function or name}()"
        for name, (when, level, function) in events.items()
    }
    return functions, triggers


SQLITE = _sqlite()
POSTGRESQL_FUNCTIONS, POSTGRESQL = _postgresql()


def statements(dialect: str) -> list[str]:
    """The statements that make all triggers of a database, in order."""
    if dialect == "sqlite":
        return list(SQLITE.values())
    return [*POSTGRESQL_FUNCTIONS.values(), *POSTGRESQL.values()]
