"""The matrix as a small picture (SVG, PNG) and as a table for the terminal."""

from html import escape

from PIL import Image, ImageDraw, ImageFont
from rich.table import Table
from rich.text import Text

from ml_regress.core.evaluation import ERROR, OK
from ml_regress.errors import shortened
from ml_regress.report.evidence import MINUS, Cell, Evidence
from ml_regress.report.heat_map import DUE_PAPER, ERROR_GREY, HIGH, LOW, MIDDLE, flips_text
from ml_regress.report.pictures import png_bytes
from ml_regress.report.shown import left_out_words, shown_candidates

LABEL, HEAD, WIDE, TALL = 200, 34, 116, 40
INK, FRAME = "#1f2933", "#9aa1ab"
TERMINAL_CANDIDATES = 8
PICTURE_CANDIDATES, PICTURE_PROBLEMS = 20, 40


def cell_colour(cell: Cell) -> str:
    """The heat map's colour of a cell as #rrggbb."""
    rate = cell.pass_rate
    if cell.state == ERROR:
        return ERROR_GREY
    if rate is None:
        return DUE_PAPER
    low, high, share = (LOW, MIDDLE, rate * 2) if rate < 0.5 else (MIDDLE, HIGH, rate * 2 - 1)
    parts = [
        round(int(low[at : at + 2], 16) + share * (int(high[at : at + 2], 16) - int(low[at : at + 2], 16)))
        for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def scoreboard_svg(evidence: Evidence) -> str:
    """The matrix as a small SVG, problems down and candidates across; all text escaped."""
    width, height = _size(evidence)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12">',
        '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="7" height="7" fill="{ERROR_GREY}"/><path d="M0 0V7" stroke="{FRAME}"/></pattern></defs>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for column, candidate in enumerate(pictured_candidates(evidence)):
        star, weight = ("★ ", "bold") if candidate == evidence.production else ("", "normal")
        parts.append(
            f'<text x="{LABEL + WIDE * (column + 0.5):g}" y="22" text-anchor="middle" font-weight="{weight}" '
            f'fill="{INK}">{star}{escape(shortened(candidate, 16))}</text>'
        )
    for row, problem in enumerate(evidence.problems[:PICTURE_PROBLEMS]):
        top = HEAD + TALL * row
        parts.append(
            f'<text x="{LABEL - 8}" y="{top + 25}" text-anchor="end" fill="{INK}">'
            f"{escape(shortened(problem.title, 28))}</text>"
        )
        for column, candidate in enumerate(pictured_candidates(evidence)):
            cell = evidence.cell(candidate, problem.id)
            left, flips = LABEL + WIDE * column, flips_text(evidence, cell)
            fill = "url(#hatch)" if cell.state == ERROR else cell_colour(cell)
            stroke = INK if candidate == evidence.production else "#d5d8dd"
            middle = left + WIDE / 2
            parts.append(
                f'<rect x="{left + 2}" y="{top + 2}" width="{WIDE - 4}" height="{TALL - 4}" fill="{fill}" '
                f'stroke="{stroke}"/><text x="{middle:g}" y="{top + (19 if flips else 25)}" text-anchor="middle" '
                f'fill="{INK}">{escape(cell.words)}</text>'
            )
            if flips:
                parts.append(
                    f'<text x="{middle:g}" y="{top + 33}" text-anchor="middle" font-size="11" '
                    f'fill="{INK}">{flips}</text>'
                )
    return "".join([*parts, "</svg>"])


def scoreboard_png(evidence: Evidence, scale: int = 2) -> bytes:
    """The same picture as PNG; `scale` 2 stays sharp on dense screens."""
    width, height = _size(evidence)
    picture = Image.new("RGB", (width * scale, height * scale), "#ffffff")
    draw = ImageDraw.Draw(picture)
    normal, small = ImageFont.load_default(12 * scale), ImageFont.load_default(11 * scale)

    def write(x: float, y: float, text: str, anchor: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> None:
        draw.text((x * scale, y * scale), text, fill=INK, font=font, anchor=anchor)

    for column, candidate in enumerate(pictured_candidates(evidence)):
        star = "* " if candidate == evidence.production else ""  # the built-in font has no ★
        write(LABEL + WIDE * (column + 0.5), HEAD / 2, star + shortened(candidate, 16).replace("…", ".."), "mm", normal)
    for row, problem in enumerate(evidence.problems[:PICTURE_PROBLEMS]):
        top = HEAD + TALL * row
        write(LABEL - 8, top + TALL / 2, shortened(problem.title, 28).replace("…", ".."), "rm", normal)
        for column, candidate in enumerate(pictured_candidates(evidence)):
            cell = evidence.cell(candidate, problem.id)
            left = LABEL + WIDE * column
            box = [(left + 2) * scale, (top + 2) * scale, (left + WIDE - 2) * scale, (top + TALL - 2) * scale]
            outline = INK if candidate == evidence.production else "#d5d8dd"
            draw.rectangle(box, fill=cell_colour(cell), outline=outline, width=scale)
            if cell.state == ERROR:
                for at in (6, 22, WIDE - 32, WIDE - 16):
                    x = (left + at) * scale
                    draw.line([x, box[3] - scale, x + 10 * scale, box[1] + scale], fill=FRAME, width=scale)
            flips = flips_text(evidence, cell).replace(MINUS, "-")
            words = "due" if cell.words == "…" else cell.words
            write(left + WIDE / 2, top + TALL / 2 - (7 if flips else 0), words, "mm", normal)
            if flips:
                write(left + WIDE / 2, top + TALL / 2 + 9, flips, "mm", small)
    return png_bytes(picture)


def pictured_candidates(evidence: Evidence) -> tuple[str, ...]:
    """The candidates that the small pictures and tables show."""
    return shown_candidates(evidence.order, evidence.production, PICTURE_CANDIDATES)


def picture_left_out(evidence: Evidence) -> str:
    """What the small pictures leave out, in words; "" where they show all."""
    words = left_out_words(len(evidence.order), len(pictured_candidates(evidence)))
    total = len(evidence.problems)
    if total > PICTURE_PROBLEMS:
        words += f" The picture shows the first {PICTURE_PROBLEMS} of {total:,} problems."
    return words.strip()


def _size(evidence: Evidence) -> tuple[int, int]:
    columns, rows = len(pictured_candidates(evidence)), len(evidence.problems[:PICTURE_PROBLEMS])
    return LABEL + WIDE * max(columns, 1) + 8, HEAD + TALL * max(rows, 1) + 8


def matrix_text(evidence: Evidence, limit: int = TERMINAL_CANDIDATES) -> Table:
    """The matrix for a terminal: problems down, the `limit` newest candidates and production across."""
    shown = shown_candidates(evidence.order, evidence.production, limit)
    caption = f"* production; +fixed {MINUS}broken against it; … due"
    if len(shown) < len(evidence.order):
        caption += f"; {len(evidence.order) - len(shown)} of {len(evidence.order)} candidates left out (oldest)"
    # Text, not str: ids and titles may hold what rich would read as its own markup.
    table = Table(title=Text(evidence.name), caption=Text(caption))
    table.add_column("problem")
    for candidate in shown:
        star = "* " if candidate == evidence.production else ""
        table.add_column(Text(star + candidate), justify="center")
    for item, title in evidence.titles.items():
        table.add_row(Text(title), *(_terminal_cell(evidence, evidence.cell(each, item)) for each in shown))
    return table


def _terminal_cell(evidence: Evidence, cell: Cell) -> Text:
    if cell.state == OK:
        style = {True: "cyan", False: "yellow", None: ""}[evidence.met.get((cell.candidate, cell.problem))]
    else:
        style = "magenta" if cell.state == ERROR else "dim"
    flips = flips_text(evidence, cell)
    return Text(cell.words + (f" {flips}" if flips else ""), style=style)
