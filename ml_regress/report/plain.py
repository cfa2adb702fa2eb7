"""Text of others for a terminal and for XML: what is no printable sign is written out."""

import unicodedata

# Controls move a cursor or forge a line, surrogates cannot be encoded, and these turn the direction of what follows.
_UNPRINTABLE = {"Cc", "Cs", "Cn", "Zl", "Zp"}
_DIRECTIONS = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """The text in one line; a line break is a space, any other sign that is not printable an escape such as \\x1b."""
    line = " ".join(text.splitlines())
    return line if line.isprintable() else "".join(map(_sign, line))


def _sign(sign: str) -> str:
    if sign == "\t":
        return " "
    hidden = unicodedata.category(sign) in _UNPRINTABLE or sign in _DIRECTIONS
    return sign.encode("unicode_escape").decode("ascii") if hidden else sign
