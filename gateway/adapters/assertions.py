"""One strict reader for every signed token: client assertions and our own access tokens.

A library's JWT reader is lenient where two readers may differ: it takes repeated
members, times as floats and any `typ`. So the compact form is read here first,
with one permitted spelling for everything; then PyJWT verifies the signature by
EdDSA alone, with the key that is registered under exactly that id; then each
claim is held to its exact type and bound. Whatever is wrong, the answer is the
same `None`: a caller who forges learns nothing from how they failed.

Source: RFC 7515, RFC 7519, RFC 7523, RFC 8725 (JWT best practices), RFC 9068; security point 9.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

LARGEST = 8192
ALGORITHM = "EdDSA"
SKEW = dt.timedelta(seconds=30)
_HEADER = frozenset({"alg", "kid", "typ"})
_TEXTS = ("iss", "sub", "aud", "jti")
_TIMES = ("iat", "nbf", "exp")
_PART = re.compile(r"[A-Za-z0-9_-]+")
_NAMED = re.compile(r"[\x21-\x7e]{1,200}")

KeyOf = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must say to be taken.

    `members` are claims beyond iss, sub, aud, jti, iat, nbf and exp that must be
    there as texts; any other claim refuses. `life` is the longest that it may live.
    """

    typ: str
    audience: str
    life: dt.timedelta
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token said, after everything about it was verified."""

    kid: str
    issuer: str
    subject: str
    jti: str
    expires: dt.datetime
    more: Mapping[str, str]


def read(compact: str, expected: Expected, *, key_of: KeyOf, at: dt.datetime) -> Claims | None:
    """Verify a token in compact form; `None` whatever is wrong with it.

    Args:
        compact: what was sent; any text.
        expected: the type, audience, life and members that it must have.
        key_of: the raw 32-byte public key registered under an id, or nothing.
        at: the time now.
    """
    try:
        header, claims = _parts(compact)
        _check_header(header, expected)
        public = key_of(header["kid"])
        if public is None:
            return None
        _verify(compact, public)
        return _checked(header["kid"], claims, expected, at)
    except (ValueError, RecursionError, jwt.PyJWTError):
        return None


def write(secret: bytes, claims: Mapping[str, str | int], *, typ: str, kid: str) -> str:
    """Sign claims in the one form that `read` takes."""
    private = Ed25519PrivateKey.from_private_bytes(secret)
    return jwt.encode(dict(claims), private, algorithm=ALGORITHM, headers={"typ": typ, "kid": kid})


def thumbprint(public: bytes) -> str:
    """The id of a raw Ed25519 public key: the SHA-256 thumbprint of its JWK (RFC 7638, 8037)."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": encoded(public)}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return encoded(hashlib.sha256(text.encode("ascii")).digest())


def encoded(content: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def strict_object(content: bytes) -> dict[str, Any]:
    """Parse one JSON object: no member twice, no NaN, no float, UTF-8 only.

    Raises:
        ValueError: it is anything else.
        RecursionError: it is nested without reason.
    """
    read_as = json.loads(
        content.decode("utf-8"),
        object_pairs_hook=_once,
        parse_constant=_refuse,
        parse_float=_refuse,
    )
    if not isinstance(read_as, dict):
        raise ValueError  # noqa: TRY004 - every fault of a token is the same fault
    return read_as


def _parts(compact: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(compact) > LARGEST:
        raise ValueError
    header, claims, signature = compact.split(".")
    if len(_decoded(signature)) != 64:
        raise ValueError
    return strict_object(_decoded(header)), strict_object(_decoded(claims))


def _decoded(part: str) -> bytes:
    """One spelling only: the unused bits of the last character are zero."""
    if not _PART.fullmatch(part):
        raise ValueError
    content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if encoded(content) != part:
        raise ValueError
    return content


def _check_header(header: Mapping[str, Any], expected: Expected) -> None:
    """Exactly alg, kid and typ: so no jku, x5u, jwk, x5c, crit, zip or b64."""
    if header.keys() != _HEADER or header["alg"] != ALGORITHM or header["typ"] != expected.typ:
        raise ValueError
    _text(header["kid"])


def _verify(compact: str, public: bytes) -> None:
    key = Ed25519PublicKey.from_public_bytes(public)
    jwt.PyJWS(algorithms=[ALGORITHM]).decode(compact, key, algorithms=[ALGORITHM])


def _checked(kid: str, claims: Mapping[str, Any], expected: Expected, at: dt.datetime) -> Claims:
    if claims.keys() != {*_TEXTS, *_TIMES, *expected.members}:
        raise ValueError
    texts = {name: _text(claims[name]) for name in (*_TEXTS, *sorted(expected.members))}
    issued, begins, ends = (_time(claims[name]) for name in _TIMES)
    inside = issued - SKEW <= at and begins - SKEW <= at < ends + SKEW
    if not (inside and issued <= ends and begins <= ends and ends - issued <= expected.life):
        raise ValueError
    if texts["aud"] != expected.audience:
        raise ValueError
    return Claims(
        kid=kid,
        issuer=texts["iss"],
        subject=texts["sub"],
        jti=texts["jti"],
        expires=ends,
        more={name: texts[name] for name in expected.members},
    )


def _text(value: object) -> str:
    if type(value) is not str or not _NAMED.fullmatch(value):
        raise ValueError
    return value


def _time(value: object) -> dt.datetime:
    if type(value) is not int or not 0 < value < 1 << 33:
        raise ValueError
    return dt.datetime.fromtimestamp(value, dt.UTC)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse(_text: str) -> NoReturn:
    raise ValueError
