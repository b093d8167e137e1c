"""Tokens with one fault each, named by it: forged by hand, because no library would write them.

Each is made from a good token's header and claims, signed with the right key unless the
fault is the signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass(frozen=True)
class Good:
    """What a token that would be taken is made of."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    secret: bytes
    other_secret: bytes

    def signed(
        self,
        *,
        header: Mapping[str, Any] | None = None,
        claims: Mapping[str, Any] | None = None,
        head_text: str = "",
        body_text: str = "",
        secret: bytes | None = None,
    ) -> str:
        """A token with the given parts, really signed."""
        head = b64((head_text or json.dumps(header or self.header)).encode())
        body = b64((body_text or json.dumps(claims or self.claims)).encode())
        private = Ed25519PrivateKey.from_private_bytes(secret or self.secret)
        return f"{head}.{body}.{b64(private.sign(f'{head}.{body}'.encode()))}"

    def with_claim(self, name: str, value: Any) -> str:
        return self.signed(claims={**self.claims, name: value})

    def without(self, name: str) -> str:
        return self.signed(claims={key: self.claims[key] for key in self.claims if key != name})

    def with_header(self, name: str, value: Any) -> str:
        return self.signed(header={**self.header, name: value})


def forgeries(good: Good) -> Iterator[tuple[str, Callable[[], str]]]:
    """Every fault by its name."""
    yield from _structure(good)
    yield from _header(good)
    yield from _signature(good)
    yield from _claims(good)
    yield from _times(good)


def _structure(good: Good) -> Iterator[tuple[str, Callable[[], str]]]:
    whole = good.signed()
    head, body, signature = whole.split(".")
    yield "empty", lambda: ""
    yield "not a token", lambda: "hello"
    yield "two parts", lambda: f"{head}.{body}"
    yield "four parts", lambda: f"{whole}.{signature}"
    yield "padded", lambda: f"{head}.{body}.{signature}=="
    yield "standard alphabet", lambda: f"{head}.{body}.{'+' + signature[1:]}"
    yield "white space", lambda: f" {whole}"
    yield "line break", lambda: f"{whole}\n"
    yield "loose last bits", lambda: f"{head}.{body}.{_loosened(signature)}"
    yield "longer than 8 kB", lambda: good.with_header("kid", "k" * 9000)
    blown = json.dumps(dict(good.claims)) + " " * 9000
    yield "blown up with white space", lambda: good.signed(body_text=blown)
    yield "nested without reason", lambda: good.signed(body_text="[" * 5000)
    yield "claims are a list", lambda: good.signed(body_text="[1]")
    yield "claims are no JSON", lambda: good.signed(body_text="iss=me")
    yield "claims not UTF-8", lambda: _not_utf8(good)
    yield "JSON serialisation", lambda: json.dumps({"payload": body, "signatures": []})
    yield "byte order mark", lambda: good.signed(body_text="\ufeff" + json.dumps(dict(good.claims)))


def _header(good: Good) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "alg none", lambda: _unsigned(good, "none")
    yield "alg None in capitals", lambda: _unsigned(good, "NONE")
    yield "alg HS256 with the public key", lambda: _hmac(good)
    yield "alg RS256", lambda: good.with_header("alg", "RS256")
    yield "alg ES256", lambda: good.with_header("alg", "ES256")
    yield "alg eddsa in small letters", lambda: good.with_header("alg", "eddsa")
    yield "alg is a list", lambda: good.with_header("alg", ["EdDSA"])
    yield "typ missing", lambda: _headless(good, "typ")
    yield "typ JWT", lambda: good.with_header("typ", "JWT")
    yield "kid missing", lambda: _headless(good, "kid")
    yield "kid unknown", lambda: good.with_header("kid", "somebody-else")
    yield "kid in another case", lambda: good.with_header("kid", good.header["kid"].swapcase())
    yield "kid a path", lambda: good.with_header("kid", "../../dev/null")
    yield "kid a number", lambda: good.with_header("kid", 1)
    for name in ("jku", "x5u", "x5c", "jwk", "crit", "zip", "b64", "cty"):
        value: Any = {"jwk": _own_key(good.other_secret), "crit": ["exp"], "zip": "DEF"}.get(name)
        yield f"{name} in the header", _later(good.with_header, name, value or "x")
    yield "own key in the header", lambda: _own_key_signed(good)
    doubled = json.dumps(dict(good.header))[:-1] + ', "alg": "EdDSA"}'
    yield "alg twice", lambda: good.signed(head_text=doubled)


def _signature(good: Good) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "another's key", lambda: good.signed(secret=good.other_secret)
    yield "signature cut", lambda: good.signed()[:-4]
    yield "signature empty", lambda: good.signed().rpartition(".")[0] + "."
    yield "signature all zero", lambda: good.signed().rpartition(".")[0] + "." + b64(bytes(64))
    yield "claims changed after signing", lambda: _changed(good)
    yield "signature not reduced", lambda: _not_reduced(good)


def _claims(good: Good) -> Iterator[tuple[str, Callable[[], str]]]:
    for name in good.claims:
        yield f"{name} missing", _later(good.without, name)
        yield f"{name} null", _later(good.with_claim, name, None)
        text = json.dumps(dict(good.claims))[:-1]
        twice = f"{text}, {json.dumps(name)}: {json.dumps(good.claims[name])}}}"
        yield f"{name} twice", _later(lambda twice: good.signed(body_text=twice), twice)
    yield "wrong audience", lambda: good.with_claim("aud", "https://elsewhere.example/oauth/token")
    yield "audience of the other use", lambda: good.with_claim("aud", good.claims["iss"])
    yield "audience a list", lambda: good.with_claim("aud", [good.claims["aud"]])
    yield "audience with a slash", lambda: good.with_claim("aud", good.claims["aud"] + "/")
    yield "wrong issuer", lambda: good.with_claim("iss", "somebody-else")
    yield "wrong subject", lambda: good.with_claim("sub", "somebody-else")
    yield "jti a number", lambda: good.with_claim("jti", 7)
    yield "jti empty", lambda: good.with_claim("jti", "")
    yield "a claim of its own", lambda: good.with_claim("roles", "administrator")
    yield (
        "a claim NaN",
        lambda: good.signed(body_text=json.dumps(dict(good.claims))[:-1] + ', "x": NaN}'),
    )


def _times(good: Good) -> Iterator[tuple[str, Callable[[], str]]]:
    begins, ends = good.claims["iat"], good.claims["exp"]
    yield (
        "expired",
        lambda: good.signed(
            claims={**good.claims, "iat": begins - 3600, "nbf": begins - 3600, "exp": begins - 3000}
        ),
    )
    yield (
        "not yet",
        lambda: good.signed(
            claims={**good.claims, "iat": begins + 900, "nbf": begins + 900, "exp": begins + 1000}
        ),
    )
    yield "lives too long", lambda: good.with_claim("exp", begins + 86_400)
    yield "ends before it begins", lambda: good.with_claim("exp", begins - 20)
    for name in ("iat", "nbf", "exp"):
        yield f"{name} a float", _later(good.with_claim, name, float(good.claims[name]))
        yield f"{name} a text", _later(good.with_claim, name, str(good.claims[name]))
        yield f"{name} true", _later(good.with_claim, name, True)
        yield f"{name} huge", _later(good.with_claim, name, 10**400)
        yield f"{name} negative", _later(good.with_claim, name, -1)
    exponent = json.dumps(dict(good.claims)).replace(str(ends), f"{ends}e0")
    yield "exp with an exponent", lambda: good.signed(body_text=exponent)


def _later(make: Callable[..., str], *arguments: Any) -> Callable[[], str]:
    return lambda: make(*arguments)


def _headless(good: Good, name: str) -> str:
    return good.signed(header={key: good.header[key] for key in good.header if key != name})


def _unsigned(good: Good, alg: str) -> str:
    head = b64(json.dumps({**good.header, "alg": alg}).encode())
    return f"{head}.{b64(json.dumps(dict(good.claims)).encode())}."


def _hmac(good: Good) -> str:
    public = Ed25519PrivateKey.from_private_bytes(good.secret).public_key().public_bytes_raw()
    head = b64(json.dumps({**good.header, "alg": "HS256"}).encode())
    body = b64(json.dumps(dict(good.claims)).encode())
    mac = hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{b64(mac)}"


def _own_key(secret: bytes) -> dict[str, str]:
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(public)}


def _own_key_signed(good: Good) -> str:
    header = {**good.header, "jwk": _own_key(good.other_secret)}
    return good.signed(header=header, secret=good.other_secret)


def _changed(good: Good) -> str:
    head, _, signature = good.signed().split(".")
    body = b64(json.dumps({**good.claims, "jti": "changed-afterwards"}).encode())
    return f"{head}.{body}.{signature}"


def _loosened(signature: str) -> str:
    """The same bytes spelt with other unused bits at the end (64 bytes leave four)."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return signature[:-1] + letters[letters.index(signature[-1]) | 1]


def _not_reduced(good: Good) -> str:
    """S + L instead of S: RFC 8032 section 5.1.7 refuses it."""
    order = 2**252 + 27742317777372353535851937790883648493
    unsigned, _, signature = good.signed().rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    scalar = int.from_bytes(raw[32:], "little") + order
    return f"{unsigned}.{b64(raw[:32] + scalar.to_bytes(32, 'little'))}"


def _not_utf8(good: Good) -> str:
    head = b64(json.dumps(dict(good.header)).encode())
    body = b64(b'{"iss": "\xff"}')
    private = Ed25519PrivateKey.from_private_bytes(good.secret)
    return f"{head}.{body}.{b64(private.sign(f'{head}.{body}'.encode()))}"
