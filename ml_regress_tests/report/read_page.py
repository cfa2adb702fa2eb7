"""A page as its readers meet it: its text, its elements and the JSON of its figures."""

import json
from html.parser import HTMLParser
from typing import Any


class ReadPage(HTMLParser):
    """`elements` are (tag, attributes), `figures` the parsed JSON scripts by id, `rows` the texts of table rows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[str] = []
        self._scripts: dict[str, str] = {}
        self._words: list[str] = []
        self._inside = ""
        self._script = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        self._inside = tag if tag in ("script", "style") else ""
        self._script = str(found.get("id") or "") if tag == "script" else ""
        if tag == "tr":
            self.rows.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if tag == "table" and self.rows:
            self.rows.append("")  # what follows is in no row

    def handle_data(self, data: str) -> None:
        if self._inside == "script" and self._script:
            self._scripts[self._script] = self._scripts.get(self._script, "") + data
        elif not self._inside:
            self._words.append(data)
            if self.rows:
                self.rows[-1] += f" {data}"

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    @property
    def figures(self) -> dict[str, Any]:
        return {name: json.loads(body) for name, body in self._scripts.items()}

    def row(self, start: str) -> str:
        """The first table row that begins with this text."""
        rows = [" ".join(row.split()) for row in self.rows]
        return next(row for row in rows if row.startswith(start))

    def links(self) -> list[str]:
        return [str(found["href"]) for tag, found in self.elements if tag == "a"]

    def anchors(self) -> set[str]:
        return {str(found["id"]) for _, found in self.elements if found.get("id")}

    def outside(self) -> list[str]:
        """Addresses that are neither in the page, nor in the folder beside it."""
        values = [found.get(name) for _, found in self.elements for name in ("src", "href", "srcset", "action")]
        return [
            value for value in values if value and (":" in value or "//" in value) and not value.startswith("data:")
        ]

    def dangerous(self) -> list[str]:
        """Attributes that run something."""
        return [name for _, found in self.elements for name in found if name.startswith("on")]
