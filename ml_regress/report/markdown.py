"""Markdown for the Dagster UI: tables whose free text cannot become markup."""

import re

import pandas as pd

from ml_regress.core.problem import Problem
from ml_regress.errors import shortened
from ml_regress.report.evidence import DASH, MINUS, Evidence
from ml_regress.report.heat_map import flips_text
from ml_regress.report.pictures import input_pictures, pixel_columns, plain_inputs
from ml_regress.report.shown import left_out_words, shown_candidates

INPUTS_SHOWN = 6
SCOREBOARD_CANDIDATES = 20
PICTURE_SIDE = 48  # pixels on the screen that a small picture is enlarged to
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#!|~$>:@])")


def markdown_text(text: str, limit: int = 200) -> str:
    """Free text as Markdown that shows it as it was written, in one line of a table.

    HTML is written as entities; every sign of Markdown is escaped, ":" and "@" too, of which
    some renderers make links.
    """
    line = " ".join(shortened(text, limit).split())
    escaped = _SPECIAL.sub(r"\\\1", line.replace("&", "\0")).replace("\0", "&amp;")
    # The backslash before ">" would stand before an entity, where Markdown shows it.
    return escaped.replace("\\>", "&gt;").replace("<", "&lt;").replace("\\|", "&#124;").replace("\\`", "&#96;")


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def patterns_markdown(patterns: pd.DataFrame, problem: Problem, limit: int = 50) -> str:
    """The patterns of a problem as a table, images as small pictures; says what is left out."""
    images = [image.name for image in problem.inputs.images]
    pixels = pixel_columns(problem.inputs.images)
    columns = [name for name in problem.inputs.names if name not in pixels]
    shown = columns[:INPUTS_SHOWN]
    rows = []
    for record in patterns.head(limit).to_dict("records"):
        inputs = record["inputs"] if isinstance(record["inputs"], dict) else None
        pictures = {
            name: f"![{markdown_text(name)}]({uri})"
            for image in problem.inputs.images
            for name, uri in input_pictures(
                problem.inputs, inputs, max(1, PICTURE_SIDE // max(image.height, image.width))
            )
            if name == image.name
        }
        values = dict(plain_inputs(problem.inputs, inputs))
        rows.append(
            [
                markdown_text(record["pattern"]),
                *(pictures.get(name, DASH) for name in images),
                *(markdown_text(values.get(name, DASH), 60) for name in shown),
                markdown_text(record["expectation"]),
                ("canary, " if record["canary"] else "") + markdown_text(record["polarity"]),
                markdown_text(record["origin"]),
                markdown_text(_text(record["note"])),
            ]
        )
    header = ["Pattern", *map(markdown_text, (*images, *shown)), "Expected", "Polarity", "Origin", "Note"]
    left_out = []
    if len(patterns) > limit:
        left_out.append(f"{len(patterns) - limit:,} of {len(patterns):,} patterns are left out.")
    if len(columns) > len(shown):
        left_out.append(f"{len(columns) - len(shown)} of {len(columns)} inputs are left out.")
    return "\n\n".join([markdown_table(header, rows), *left_out])


def scoreboard_markdown(evidence: Evidence) -> str:
    """The matrix as a table: problems down, candidates across, flips against production behind."""
    shown = shown_candidates(evidence.order, evidence.production, SCOREBOARD_CANDIDATES)
    header = ["Problem"] + [
        ("**★ " + markdown_text(candidate) + "**") if candidate == evidence.production else markdown_text(candidate)
        for candidate in shown
    ]
    rows = []
    for problem in evidence.problems:
        cells = [evidence.cell(candidate, problem.id) for candidate in shown]
        texts = [" ".join(filter(None, (cell.words, flips_text(evidence, cell)))) for cell in cells]
        rows.append([markdown_text(problem.title), *texts])
    notes = f"★ in production; + fixed and {MINUS} broken against it; … due; n/a does not apply"
    left_out = left_out_words(len(evidence.order), len(shown))
    return "\n\n".join(filter(None, [markdown_table(header, rows), notes, left_out]))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
