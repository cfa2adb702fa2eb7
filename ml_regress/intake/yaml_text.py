"""YAML whose scalars all stay text: `no` is "no" and 007 is "007" until a declared type says more."""

from pathlib import Path
from typing import Any

import yaml

from ml_regress.core.answers import UNSTORABLE
from ml_regress.errors import InvalidInput
from ml_regress.intake.text_files import UNSTORABLE_RULE, read_text


def load(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file as nested dicts, lists and texts; an empty file is an empty mapping.

    Raises InvalidInput, with the line, for broken YAML, a key that is written twice, a key that is
    no text, an alias of a list or mapping, and for anything but a mapping.
    """
    return loads(read_text(path), str(path))


def loads(text: str, source: str) -> dict[str, Any]:
    """`load` for a text that is already read; `source` names it in errors."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise _refused(source, node, "must be a mapping of `key: value`")
        plain: dict[str, Any] = _plain(node, source, set())
        return plain
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f"line {mark.line + 1}: "
        said = str(error.problem or error.context)
        # `{amount: number?}` is a sound declaration and no YAML: say what to do about it.
        hint = "; inside { } a type with ? or ( ) needs quotes" if "'?'" in said else ""
        raise InvalidInput.single(source, f"{place}is no YAML ({said}){hint}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InvalidInput.single(
            source, f"line {line}: is no YAML (it holds a character that is not allowed)"
        ) from None
    except RecursionError:
        raise InvalidInput.single(source, "is nested too deep") from None


def _plain(node: yaml.Node, source: str, seen: set[int]) -> Any:
    if isinstance(node, yaml.ScalarNode):
        if UNSTORABLE.search(node.value):
            raise _refused(source, node, UNSTORABLE_RULE)
        return node.value
    if id(node) in seen:  # aliases of aliases grow without limit, and one inside itself has no end
        raise _refused(source, node, "is used again by an alias (*name); write it out")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, source, seen) for item in node.value]
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _refused(source, key, "a key must be a text")
        name = _plain(key, source, seen)
        if name in found:
            raise _refused(source, key, "is written twice; keep one", column=name)
        found[name] = _plain(value, source, seen)
    return found


def _refused(source: str, node: yaml.Node, rule: str, column: str | None = None) -> InvalidInput:
    return InvalidInput.single(source, f"line {node.start_mark.line + 1}: {rule}", column=column)
