"""Notices to a webhook: a JSON document, signed with a shared key, posted once and again.

The signature is over the notice's id, the time and the body, so that whoever receives it
knows who sent it, that it is new, and which one it is: the id stays the same at each try.

Source: Standard Webhooks 1.0, "Signature scheme"; RFC 2104; RFC 9110.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import datetime as dt
import hashlib
import hmac
from pathlib import Path
from typing import Final

from gateway.adapters.notice_mail import secret, trusting
from gateway.adapters.notice_try import WHOLE, Try
from gateway.adapters.settings_notices import NoticeSettings
from gateway.errors import Unavailable

PATIENCE: Final = 20.0
SHORTEST: Final = 32
SUCCESS: Final = 2
GONE: Final = 410
PREFIX: Final = b"whsec_"


def post(
    settings: NoticeSettings,
    body: bytes,
    *,
    reference: str,
    at: dt.datetime,
    within: float = WHOLE,
) -> Try:
    """Post one document; anything but a 2xx is a failure, and no redirection is followed.

    Args:
        settings: address and key.
        body: the document as it is signed.
        reference: what the notice is known by.
        at: now.
        within: seconds for the whole of it, however the answer drips in.
    """
    import httpx  # in the process that sends: the web only writes notices down

    try:
        headers = signed(body, key=_key(settings), reference=reference, at=at)
        status = asyncio.run(_answered(settings, body, headers, within=within))
    except Unavailable as fault:
        return Try(fault.code)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
        return Try("notices/out-of-reach")
    if status // 100 == SUCCESS:
        return Try()
    return Try("notices/refused", final=status == GONE)


async def _answered(
    settings: NoticeSettings, body: bytes, headers: dict[str, str], *, within: float
) -> int:
    """The status of the answer; what is beside it is not read, however long it is."""
    import httpx

    verify = trusting(settings) if settings.webhook_url.startswith("https:") else False
    # No proxy or certificate of the environment: what is set is what is used.
    async with (
        asyncio.timeout(within),
        httpx.AsyncClient(verify=verify, timeout=PATIENCE, trust_env=False) as web,
        web.stream("POST", settings.webhook_url, content=body, headers=headers) as answer,
    ):
        return answer.status_code


def signed(body: bytes, *, key: bytes, reference: str, at: dt.datetime) -> dict[str, str]:
    """The headers of a document: what it is, when it was sent, and by whom."""
    moment = str(int(at.timestamp()))
    message = f"{reference}.{moment}.".encode() + body
    mark = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": reference,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{mark}",
    }


def _key(settings: NoticeSettings) -> bytes:
    path = settings.webhook_key_file or Path()
    try:
        key = base64.b64decode(secret(path).removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < SHORTEST:
        raise Unavailable(
            "notices/webhook-key",
            "The webhook's key is not 32 bytes or more in base64.",
            remedy="`openssl rand -base64 32` makes one.",
        )
    return key
