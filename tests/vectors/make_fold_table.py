"""Write `std1-fold.tsv` from Unicode 14: run once, by name; the product reads the frozen file.

python tests/vectors/make_fold_table.py > gateway/identity/tables/std1-fold.tsv
"""

from __future__ import annotations

import sys
import unicodedata

EXTRA = str.maketrans(
    {
        "Ł": "L",
        "Ø": "O",
        "Æ": "AE",
        "Œ": "OE",
        "Đ": "D",
        "Ð": "D",
        "Þ": "TH",
        "Ħ": "H",
        "ẞ": "SS",
    }
)


def bare(text: str) -> str:
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text)
        if unicodedata.category(letter) != "Mn"
    )


def fold(letter: str) -> str:
    """NFKD without Mn, full upper case, the extra letters; what is then not ASCII is dropped."""
    upper = bare(bare(letter).upper()).translate(EXTRA)
    return "".join(part for part in upper if "\x20" <= part < "\x7f")


def rows() -> list[str]:
    if unicodedata.unidata_version != "14.0.0":
        raise SystemExit(f"Unicode 14.0.0 is wanted, not {unicodedata.unidata_version}.")
    everything = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    return [
        f"{ord(letter):04X}\t{fold(letter)}"
        for letter in everything
        if fold(letter).strip() and fold(letter) != letter
    ]


if __name__ == "__main__":
    print("\n".join(rows()))
