"""Passwords: Argon2id, one verification whoever asks, and no rule but length and not being common.

An unknown login costs what a known one costs: there is always one verification,
against a stand-in made with the same parameters.

Source: RFC 9106 (Argon2); NIST SP 800-63B section 3.1.1; OWASP ASVS 5.0, V6.
"""

from __future__ import annotations

import base64
import secrets
import threading
import unicodedata
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gateway.errors import InputRejected

SHORTEST = 12
LONGEST = 128
# Ten tries in a quarter of an hour are 35 million in a century.
GUESSES_WANTED = 10**8
_LOOKED_AT = 72
# Verifications at a time in one process: each takes its memory, whoever asks.
AT_ONCE = 2
MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 1


class Passwords:
    """Hashes and verifies; the parameters are an argument so that tests can count and go fast."""

    def __init__(
        self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES, lanes: int = LANES
    ) -> None:
        """Set the cost of one verification."""
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._turn = threading.BoundedSemaphore(AT_ONCE)

    def hashed(self, password: str) -> str:
        """The encoded hash that is stored; its parameters and salt are in it."""
        with self._turn:
            return self._hasher.hash(_bytes(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether this is the password; without a stored hash the work is done all the same."""
        try:
            with self._turn:
                right = self._hasher.verify(stored or self._stand_in, _bytes(password))
        except (Argon2Error, InvalidHashError):
            return False
        return right and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether a stored hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    @cached_property
    def _stand_in(self) -> str:
        return self._hasher.hash(secrets.token_bytes(16))


def first_password() -> str:
    """A password of 100 random bits that somebody can type: five groups of four."""
    text = base64.b32encode(secrets.token_bytes(13)).decode("ascii").lower()[:20]
    return "-".join(text[start : start + 4] for start in range(0, 20, 4))


def refuse_weak(password: str, *, login: str) -> None:
    """Refuse a password that is too short, too long, or among those that are tried first.

    Raises:
        InputRejected: says which rule, never the password.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputRejected(
            "accounts/password-length",
            f"A password has {SHORTEST} to {LONGEST} characters.",
            remedy="Three words that do not belong together are long enough.",
        )
    if _easily_guessed(password, login):
        raise InputRejected(
            "accounts/password-common",
            "That password is among those that are tried first.",
            remedy="Choose words that nobody would put together.",
        )


def _easily_guessed(password: str, login: str) -> bool:
    """Whether lists of common passwords, words, rows of keys or the login lead to it soon."""
    from zxcvbn import zxcvbn  # reads its lists of words when it is first needed

    told = zxcvbn(password[:_LOOKED_AT], user_inputs=[login, *login.split("-"), "gateway"])
    return int(told["guesses"]) < GUESSES_WANTED


def _bytes(password: str) -> bytes:
    """One spelling of what was typed, whatever keyboard it came from (NIST SP 800-63B 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8")
