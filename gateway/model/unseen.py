"""Characters that nobody sees, or that show the others in another order: one list for all texts.

A governed document that holds one is refused, a reason is kept without them, and a page
shows stored text without them: whatever was kept once, it reads as what it says.

Source: docs/reference/policy.md; Unicode TR 36; UAX 44, Default_Ignorable_Code_Point.
"""

from __future__ import annotations

import unicodedata

# Scripts of India and Persia need them between letters.
JOINERS = "\u200c\u200d"
# Zl and Zp end a line where one reader shows the text, and not where another does.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
# What Unicode tells every program to draw as nothing, though its category is that of a
# letter, a mark or nothing yet: fillers, variation selectors, the plane of tags.
_IGNORABLE = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0xE0000, 0xE0FFF),
    )
    for code in range(first, last + 1)
)
# It is a picture of eight dots, of which none is raised.
_NO_DOTS = "\u2800"


def is_hidden(character: str) -> bool:
    """Whether nobody sees a character, ends of lines and tabs among them."""
    return character in _IGNORABLE or unicodedata.category(character) in _UNSEEN


def seen(text: str) -> str:
    """A text as everybody reads it: nothing hidden in it; lines, tabs and joiners stay."""
    if text.isascii() and text.isprintable():
        return text
    hidden = [each for each in set(text) - set("\r\n\t" + JOINERS) if is_hidden(each)]
    return text.translate(dict.fromkeys(map(ord, hidden))) if hidden else text


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: blanks, fillers and marks without a letter."""
    return not any(
        unicodedata.category(each)[0] in "LNPS" and each != _NO_DOTS and each not in _IGNORABLE
        for each in text
    )
