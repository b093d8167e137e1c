"""The second factor: time-based codes from an authenticator, and recovery codes for a lost one.

The shared secret lies sealed under the web's key, bound to its account. A code
is taken once: the time step of the last one taken is kept, and only a later one
is taken after it. Recovery codes are random, used once, and kept as digests.

Source: RFC 6238 (TOTP); RFC 4226; NIST SP 800-63B section 3.1.4; OWASP ASVS 5.0, V6.5.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Column, Connection, ForeignKey, String, Table, insert, select, update

from gateway.adapters.accounts import ACCOUNTS
from gateway.adapters.database import METADATA
from gateway.errors import IntegrityError

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
RECOVERY_CODES = 10
# One step of grace on either side, for clocks that differ and fingers that are slow.
GRACE = (0, -1, 1)
_NONCE = 12
_CODE = re.compile(r"[0-9]{6}")
_RECOVERY = re.compile(r"[a-z2-7]{16}")

RECOVERY = Table(
    "account_recovery",
    METADATA,
    Column("login", ForeignKey("accounts.login"), primary_key=True),
    Column("digest", String(64), primary_key=True),
)


def new_secret() -> bytes:
    """Draw a secret for an authenticator."""
    return secrets.token_bytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """The secret as somebody types it into an authenticator."""
    return base64.b32encode(secret).decode("ascii")


def provisioning_uri(secret: bytes, *, login: str, service: str) -> str:
    """What the QR code says to an authenticator."""
    return _totp(secret).get_provisioning_uri(login, service)


def step_of(secret: bytes, code: str, *, at: dt.datetime) -> int | None:
    """The time step that a code belongs to, if it is right about now."""
    typed = re.sub(r"[\s-]", "", code)
    if not _CODE.fullmatch(typed):
        return None
    now = int(at.timestamp()) // STEP_SECONDS
    right = [now + grace for grace in GRACE if _is_code(secret, typed, now + grace)]
    return right[0] if right else None


def code_at(secret: bytes, at: dt.datetime) -> str:
    """The code that an authenticator shows at a time."""
    return _totp(secret).generate(int(at.timestamp())).decode("ascii")


def enrol(connection: Connection, login: str, secret: bytes, *, key: bytes) -> tuple[str, ...]:
    """Keep an authenticator's secret, sealed; the recovery codes, shown once."""
    connection.execute(
        update(ACCOUNTS)
        .where(ACCOUNTS.c.login == login)
        .values(factor=sealed(secret, login=login, key=key), factor_step=0)
    )
    return new_recovery_codes(connection, login)


def new_recovery_codes(connection: Connection, login: str) -> tuple[str, ...]:
    """Replace the recovery codes of an account."""
    codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
    connection.execute(RECOVERY.delete().where(RECOVERY.c.login == login))
    for code in codes:
        connection.execute(insert(RECOVERY).values(login=login, digest=_digest(login, code)))
    return codes


def take_code(
    connection: Connection, login: str, code: str, *, key: bytes, at: dt.datetime
) -> bool:
    """Take a code of the authenticator, once; `False` if it is wrong or was taken."""
    kept = connection.execute(
        select(ACCOUNTS.c.factor, ACCOUNTS.c.factor_step).where(ACCOUNTS.c.login == login)
    ).first()
    if kept is None or kept[0] is None:
        return False
    step = step_of(opened(kept[0], login=login, key=key), code, at=at)
    if step is None or step <= kept[1]:
        return False
    here = (ACCOUNTS.c.login == login) & (ACCOUNTS.c.factor_step < step)
    taken = connection.execute(update(ACCOUNTS).where(here).values(factor_step=step))
    return bool(taken.rowcount)


def take_recovery_code(connection: Connection, login: str, code: str) -> bool:
    """Take a recovery code, once."""
    typed = re.sub(r"[\s-]", "", code).lower()
    if not _RECOVERY.fullmatch(typed):
        return False
    here = (RECOVERY.c.login == login) & (RECOVERY.c.digest == _digest(login, typed))
    return bool(connection.execute(RECOVERY.delete().where(here)).rowcount)


def recovery_codes_left(connection: Connection, login: str) -> int:
    """How many recovery codes were not used yet."""
    return len(connection.execute(select(RECOVERY.c.digest).where(RECOVERY.c.login == login)).all())


def remove(connection: Connection, login: str) -> None:
    """Forget an account's authenticator and recovery codes; the next sign-in sets up new ones."""
    here = ACCOUNTS.c.login == login
    connection.execute(update(ACCOUNTS).where(here).values(factor=None, factor_step=0))
    connection.execute(RECOVERY.delete().where(RECOVERY.c.login == login))


def sealed(secret: bytes, *, login: str, key: bytes) -> bytes:
    """Seal a secret for one account."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, secret, login.encode("ascii"))


def opened(content: bytes, *, login: str, key: bytes) -> bytes:
    """Open what `sealed` made for this account.

    Raises:
        IntegrityError: it was made for another account, by another key, or was changed.
    """
    try:
        cipher = ChaCha20Poly1305(key)
        return cipher.decrypt(content[:_NONCE], content[_NONCE:], login.encode("ascii"))
    except (InvalidTag, ValueError):
        raise IntegrityError(
            "accounts/factor-sealed",
            "The second factor of this account cannot be opened with the web's key.",
            remedy="`gateway accounts reset LOGIN` lets its owner set up another.",
        ) from None


def _totp(secret: bytes) -> TOTP:
    # SHA-1 is what authenticators speak; HMAC does not rest on its collision resistance.
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303


def _is_code(secret: bytes, code: str, step: int) -> bool:
    return hmac.compare_digest(_totp(secret).generate(step * STEP_SECONDS), code.encode("ascii"))


def _recovery_code() -> str:
    return base64.b32encode(secrets.token_bytes(10)).decode("ascii").lower()


def _digest(login: str, code: str) -> str:
    """80 random bits need no slow hash; the login keeps equal codes apart."""
    return hashlib.sha256(f"{login}\n{code}".encode("ascii")).hexdigest()
