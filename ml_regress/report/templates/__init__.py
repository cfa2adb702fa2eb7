"""The templates of all pages, and how values come into them."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

TEMPLATES = Path(__file__).parent


def page_environment() -> Environment:
    """Templates that escape whatever is put into them."""
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def page_style() -> Markup:
    """The style that all pages share."""
    return Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


def production_style() -> Markup:
    """The style of the pages about production: the shared one, and what only they need."""
    own = (TEMPLATES / "production.css").read_text(encoding="utf-8")
    return page_style() + Markup(own)  # noqa: S704 - a file of this package


def in_script(text: str) -> Markup:
    """JSON that can stand inside a script element: no text in it can end the element."""
    for character, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, escape)
    return Markup(text)  # noqa: S704 - escaped for a script element above
