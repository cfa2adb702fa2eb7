"""Contrived neighbours of a text: slips of the hand, case, spaces and marks, each named in words."""

import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Neighbours on a QWERTY keyboard, in the same row.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_MARKS = re.escape(string.punctuation)
_ENDS = ".!?"


@dataclass(frozen=True)
class TextVariant:
    """Another text: its `kind`, its `form` within the kind, and in words what was done."""

    text: str
    kind: str
    form: str
    words: str


def text_variants(text: str, generator: np.random.Generator, most: int) -> Iterator[TextVariant]:
    """Texts near this one, at most `most` of each form where a form can happen at many places; none is the text."""
    for made in (*_typos(text, generator, most), *_cases(text), *_spacings(text, generator, most), *_marks(text)):
        if made.text != text:
            yield made


def _typos(text: str, generator: np.random.Generator, most: int) -> Iterator[TextVariant]:
    letters = [place for place, letter in enumerate(text) if letter.isalpha()]
    there = set(letters)
    for place in _some([p for p in letters if p + 1 in there and text[p] != text[p + 1]], generator, most):
        swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        yield TextVariant(swapped, "typo", "swapped", f"letters {place + 1} and {place + 2} swapped")
    # What is left of a text of one letter is no slip of the hand.
    for place in _some(letters if len(letters) > 1 else [], generator, most):
        dropped = text[:place] + text[place + 1 :]
        yield TextVariant(dropped, "typo", "dropped", f"letter {place + 1} ({text[place]!r}) dropped")
    for place in _some(letters, generator, most):
        doubled = text[:place] + text[place] + text[place:]
        yield TextVariant(doubled, "typo", "doubled", f"letter {place + 1} ({text[place]!r}) doubled")
    for place in _some([p for p in letters if _neighbour_keys(text[p])], generator, most):
        keys = _neighbour_keys(text[place])
        key = keys[int(generator.integers(len(keys)))]
        words = f"letter {place + 1}: {text[place]!r} became {key!r}, its neighbour on the keyboard"
        yield TextVariant(text[:place] + key + text[place + 1 :], "typo", "neighbour key", words)


def _cases(text: str) -> Iterator[TextVariant]:
    yield TextVariant(text.upper(), "case", "upper", "all in upper case")
    yield TextVariant(text.lower(), "case", "lower", "all in lower case")
    # str.title would write Don'T.
    title = re.sub(r"[^\W\d_][\w']*", lambda word: word[0][0].upper() + word[0][1:].lower(), text)
    yield TextVariant(title, "case", "title", "each word with a capital")


def _spacings(text: str, generator: np.random.Generator, most: int) -> Iterator[TextVariant]:
    spaces = [place for place, letter in enumerate(text) if letter == " "]
    for place in _some(spaces, generator, most):
        words = f"the space at {place + 1} doubled"
        yield TextVariant(text[:place] + " " + text[place:], "spacing", "doubled", words)
    if text:
        yield TextVariant(" " + text, "spacing", "leading", "a space before it")
        yield TextVariant(text + " ", "spacing", "trailing", "a space behind it")
    tight = re.sub(rf" *([{_MARKS}]) *", r"\1", text)
    yield TextVariant(tight, "spacing", "tight", "no spaces around punctuation")


def _marks(text: str) -> Iterator[TextVariant]:
    bare = text.rstrip()
    rest = text[len(bare) :]
    if bare and bare[-1] in _ENDS:
        yield TextVariant(bare.rstrip(_ENDS) + rest, "punctuation", "end dropped", f"{bare[-1]!r} at the end dropped")
    elif bare:
        yield TextVariant(bare + "." + rest, "punctuation", "end added", "a full stop added")
    if bare:
        yield TextVariant(bare.rstrip(_ENDS) + "!!!" + rest, "punctuation", "exclaimed", "'!!!' at the end")
    # An apostrophe belongs to its word, and a hyphen to both of its words.
    without = re.sub(r"[,;:()\"]", "", text)
    yield TextVariant(without, "punctuation", "dropped", "commas, colons, brackets and quotes dropped")


def _neighbour_keys(letter: str) -> str:
    """The letters beside this one on the keyboard, in its case; "" for one that is not on it."""
    for row in _ROWS:
        place = row.find(letter.lower())
        if place >= 0:
            near = row[max(0, place - 1) : place] + row[place + 1 : place + 2]
            return near.upper() if letter.isupper() else near
    return ""


def _some(places: Sequence[int], generator: np.random.Generator, most: int) -> list[int]:
    if len(places) <= most:
        return list(places)
    return sorted(int(place) for place in generator.choice(np.array(places), most, replace=False))
