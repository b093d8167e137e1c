"""What an urgent disclosure is asked with, and what `disclose` needs of the world.

Source: requirement R29; security point 4; docs/how-to/disclose-in-an-emergency.md.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Protocol

import polars as pl

from gateway.disclosure.grammars import grammars_of
from gateway.errors import InputRejected
from gateway.model import Plan, Refusal
from gateway.model.urgent import LONGEST, Asked
from gateway.objections import FIELDS, one_identity, standard_form
from gateway.selection.finding import AT_LEAST, FOUND_BY, NAMED, NUMBERS
from gateway.workflows.sharing import Outcome, ReleaseRun


class DisclosureRun(ReleaseRun, Protocol):
    """One disclosure being made: a release of one person."""

    @property
    def sought(self) -> pl.DataFrame:
        """Who is meant, as elements."""

    def about(self, person: str) -> None:
        """Join what was typed to the person who was found."""

    def overrides(self, people: int) -> None:
        """Note how many had said no, for the register of disclosures."""

    def not_certain(self) -> Outcome:
        """Record that nobody was certainly found."""

    def __enter__(self) -> DisclosureRun:
        """Begin."""


class DisclosureDesk(Protocol):
    """Policies, stores, and the two people's rights."""

    def decide(self) -> Plan | Refusal:
        """Decide by the agreement in force, for two people who may disclose."""

    def refuse(self, refusal: Refusal) -> Outcome:
        """Record a refusal and answer with its reasons."""

    def begin(self, plan: Plan) -> DisclosureRun:
        """Open the disclosure under this Plan."""


def sought_of(asked: Asked) -> pl.DataFrame:
    """The details as elements of `std1`, one row."""
    told = {name: [asked.details.get(name)] for name in FIELDS}
    return standard_form(pl.DataFrame(told, dict.fromkeys(FIELDS, pl.String)))


def asked_from_text(text: str) -> Asked:
    """Read what somebody gives on standard input: JSON, or one `name: value` on each line.

    Raises:
        InputRejected: `emergency/details`, `emergency/too-little` or `objections/details`.
    """
    given = _pairs(text)
    told = {name: value for name, value in given if name in LONGEST}
    rest = [(name, value) for name, value in given if name not in LONGEST]
    if len(told) + len(rest) != len(given):
        raise _wrong("A name is given twice.")
    return asked_from(told, "\n".join(f"{name}: {value}" for name, value in rest))


def asked_from(told: Mapping[str, str], identity: str) -> Asked:
    """Check what was typed.

    Args:
        told: `risk_statement` and `contact_route`.
        identity: whom it is about, as `objections.one_identity` reads it.

    Raises:
        InputRejected: as `asked_from_text`.
    """
    texts = {name: told.get(name, "").strip() for name in LONGEST}
    absent = [f"the {name.replace('_', ' ')}" for name, text in texts.items() if not text]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        raise _wrong(f"{' and '.join(absent).capitalize()} {verb} missing.")
    for name, most in LONGEST.items():
        _check(name, texts[name], most)
    details = one_identity(identity).row(0, named=True)
    asked = Asked(details={n: str(v) for n, v in details.items() if v is not None}, **texts)
    _enough(sought_of(asked))
    return asked


def asked_from_sealed(content: bytes) -> Asked:
    """Read back what `Asked.written` wrote."""
    return Asked(**json.loads(content))


def _pairs(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip()]
    if not text.lstrip().startswith("{"):
        if not lines or any(":" not in line for line in lines):
            raise _wrong('Give one "name: value" on each line, or a JSON object.')
        parted = (line.partition(":") for line in lines)
        return [(_name(name), value.strip()) for name, _colon, value in parted]
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        raise _wrong("Give one JSON object of names and texts.") from None
    if not all(isinstance(value, str | int) and "\n" not in str(value) for _name, value in pairs):
        raise _wrong("Give one JSON object of names and texts, each on one line.")
    return [(_name(name), str(value)) for name, value in pairs]


def _name(name: str) -> str:
    plain = name.strip().lower().replace(" ", "_").replace("-", "_")
    return plain if plain in LONGEST else name


def _check(name: str, text: str, most: int) -> None:
    """A text of its own, that the last scan will not take for somebody's number."""
    words = name.replace("_", " ")
    if len(text) > most or any(unicodedata.category(each) in {"Cc", "Cs"} for each in text):
        raise _wrong(f"The {words} is one line of at most {most} characters.")
    if not text[0].isalnum():
        raise _wrong(f"The {words} begins with a letter or a digit.")
    (found,) = grammars_of([pl.Series([text])], dates=False)
    if found:
        raise _wrong(f"The {words} is a bare number, date, code or address: say it in words.")


def _enough(sought: pl.DataFrame) -> None:
    told = {name for name in FOUND_BY if sought[name][0] is not None}
    if len(told) < AT_LEAST or not (told & set(NUMBERS) or told >= set(NAMED)):
        raise InputRejected(
            "emergency/too-little",
            "This is too little to be certain who is meant.",
            remedy="Give forename, surname and date of birth, or a national number and one more "
            "detail.",
        )


def _wrong(sentence: str) -> InputRejected:
    return InputRejected(
        "emergency/details",
        sentence,
        remedy="Give who it is about, risk_statement (what harm is feared, in one sentence) and "
        "contact_route (who is reached, and how). Nothing was recorded.",
    )
