"""The page of a comparison: one static HTML file without a script."""

import re
from pathlib import Path

from ml_regress.report.compare_text import headline, p_words, pooled_lines
from ml_regress.report.compared import Compared
from ml_regress.report.flip_view import flip_views
from ml_regress.report.pattern_grid import Budget
from ml_regress.report.templates import page_environment, page_style
from ml_regress.report.writing import write_whole

INPUT_CHARACTERS = 3_000_000


def compare_html(compared: Compared) -> str:
    """The whole comparison as one self-contained page; problems that broke most stand first."""
    found = compared.comparison
    problems = sorted(found.problems, key=lambda each: (-each.counted.regressions, -each.counted.fixes, each.problem))
    moved = [max(each.counted.regressions, each.counted.fixes) for each in problems]
    return (
        page_environment()
        .get_template("compare.html.j2")
        .render(
            found=compared,
            headline=headline(compared),
            lines=pooled_lines(compared),
            chosen=found.chosen,
            problems=problems,
            most=max([*moved, 1]),
            flips=flip_views(compared.flipped, Budget(INPUT_CHARACTERS)),
            p_words=p_words,
            style=page_style(),
        )
    )


def write_compare(compared: Compared, folder: Path) -> Path:
    """Writes compare-BEFORE..AFTER.html into the folder, whole or not at all; raises Unavailable."""
    # No id holds two dots, so that no other pair of candidates has this name.
    name = re.sub(r"[^A-Za-z0-9._-]", "_", f"compare-{compared.before.id}..{compared.after.id}.html")
    return write_whole(folder / name, compare_html(compared))
