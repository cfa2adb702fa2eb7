"""Small drawings of rectangles, lines and words, as SVG for pages and as PNG for the Dagster UI.

Both are made of the same parts, so that no picture says what the other does not.
"""

from dataclasses import dataclass, field
from html import escape

from markupsafe import Markup
from PIL import Image, ImageColor, ImageDraw, ImageFont

from ml_regress.report.pictures import png_bytes

FAMILY = "system-ui, DejaVu Sans, sans-serif"
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


@dataclass(frozen=True)
class Box:
    """A filled rectangle, without a fill only its frame. Sizes are pixels of the drawing."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    stroke: str | None = None


@dataclass(frozen=True)
class Line:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0


@dataclass(frozen=True)
class Words:
    """A text whose base line is at `y`; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    colour: str
    anchor: str = "start"
    size: int = 11


@dataclass(frozen=True)
class Mark:
    """A disc, or a diamond, around a point; `title` is what a pointer over it is told."""

    x: float
    y: float
    radius: float
    colour: str
    fill: str
    diamond: bool = False
    title: str = ""

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """Those of the diamond."""
        x, y, r = self.x, self.y, self.radius * 1.2
        return ((x, y - r), (x + r, y), (x, y + r), (x - r, y))


Part = Box | Line | Words | Mark


@dataclass
class Drawing:
    """What is drawn, the first part at the bottom; `title` is what is read out in its place."""

    width: int
    height: int
    title: str
    parts: list[Part] = field(default_factory=list)

    def svg(self) -> Markup:
        """Inline SVG that scales with its place; all text escaped."""
        head = (
            f'<svg class="small-drawing" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'font-family="{FAMILY}"><title>{escape(self.title)}</title>'
        )
        return Markup(head + "".join(map(_svg, self.parts)) + "</svg>")  # noqa: S704 - escaped part by part

    def png(self, scale: int = 2) -> bytes:
        """The same picture as PNG; `scale` 2 stays sharp on dense screens."""
        picture = Image.new("RGB", (self.width * scale, self.height * scale), "#ffffff")
        draw = ImageDraw.Draw(picture)
        for part in self.parts:
            _paint(draw, part, scale)
        return png_bytes(picture)


def _svg(part: Part) -> str:
    if isinstance(part, Box):
        stroke = f' stroke="{part.stroke}"' if part.stroke else ""
        return (
            f'<rect x="{_short(part.x)}" y="{_short(part.y)}" width="{_short(part.width)}" '
            f'height="{_short(part.height)}" fill="{part.fill or "none"}"{stroke}/>'
        )
    if isinstance(part, Line):
        points = " ".join(f"{_short(x)},{_short(y)}" for x, y in part.points)
        return f'<polyline points="{points}" fill="none" stroke="{part.colour}" stroke-width="{part.width:g}"/>'
    if isinstance(part, Mark):
        title = f"<title>{escape(part.title)}</title>"
        look = f'fill="{part.fill}" stroke="{part.colour}" stroke-width="2"'
        if part.diamond:
            corners = " ".join(f"{_short(x)},{_short(y)}" for x, y in part.corners)
            return f'<polygon points="{corners}" {look}>{title}</polygon>'
        return f'<circle cx="{_short(part.x)}" cy="{_short(part.y)}" r="{_short(part.radius)}" {look}>{title}</circle>'
    return (
        f'<text x="{_short(part.x)}" y="{_short(part.y)}" font-size="{part.size}" text-anchor="{part.anchor}" '
        f'fill="{part.colour}">{escape(part.text)}</text>'
    )


def _paint(draw: ImageDraw.ImageDraw, part: Part, scale: int) -> None:
    if isinstance(part, Box):
        if part.width > 0 and part.height > 0:
            right, foot = part.x + part.width, part.y + part.height
            box = (part.x * scale, part.y * scale, right * scale, foot * scale)
            outline = ImageColor.getrgb(part.stroke) if part.stroke else None
            draw.rectangle(box, fill=part.fill, outline=outline, width=scale)
    elif isinstance(part, Line):
        points = [(x * scale, y * scale) for x, y in part.points]
        draw.line(points, fill=part.colour, width=max(1, round(part.width * scale)))
    elif isinstance(part, Mark):
        if part.diamond:
            corners = [(x * scale, y * scale) for x, y in part.corners]
            draw.polygon(corners, fill=part.fill, outline=part.colour, width=2 * scale)
        else:
            left, top, size = part.x - part.radius, part.y - part.radius, 2 * part.radius
            box = (left * scale, top * scale, (left + size) * scale, (top + size) * scale)
            draw.ellipse(box, fill=part.fill, outline=part.colour, width=2 * scale)
    else:
        # The built-in font knows Western letters only.
        text = part.text.replace("…", "..").encode("latin-1", "replace").decode("latin-1")
        place = (part.x * scale, part.y * scale)
        font = ImageFont.load_default(part.size * scale)
        draw.text(place, text, fill=part.colour, font=font, anchor=_ANCHORS[part.anchor])


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
