"""By SFTP: written beside its name, synced where the server can, then renamed.

The server is the one whose host key the recipient's approved document names; we are
known by a private key of mode 0400. A receipt is looked for beside the package, under
its name with `.receipt`, a certificate of destruction with `.certificate`.

Source: draft-ietf-secsh-filexfer-02; OpenSSH PROTOCOL, posix-rename and fsync;
security points 15 and 23.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway.adapters import keyring_files
from gateway.adapters.channels import Parcel, Told, why_unreached
from gateway.adapters.delivery_receipts import LONGEST
from gateway.adapters.delivery_words import because
from gateway.errors import IntegrityError, Unavailable

BLOCK = 1 << 18
SECONDS = 30
# A whole session, and the bytes a second at which a package goes at the slowest.
SESSION_SECONDS, SLOWEST = 120.0, 64 << 10
OTHER_KEY = "delivery/other-host-key"


def bring(parcel: Parcel) -> Told:
    """Upload a package; one that lies there already is compared and left."""
    return _run(parcel, _bring)


def receipt(parcel: Parcel) -> Told:
    """Look for the recipient's receipt beside the package."""
    return _run(parcel, _receipt)


def certificate(parcel: Parcel) -> str:
    """Look for the certificate of destruction where the package lay; empty without one.

    Raises:
        Unavailable: our key cannot be read, or nobody was reached, and why.
        IntegrityError: the server is not the approved one.
    """
    told = _run(parcel, _certificate)
    if told.code:
        kind = IntegrityError if told.code == OTHER_KEY else Unavailable
        sentence, remedy = because(told.code)
        raise kind(told.code, sentence, remedy=remedy)
    return told.receipt


def _run(parcel: Parcel, act: Any) -> Told:
    asyncssh = _library()
    secret = keyring_files.read_safely(parcel.key_file("sftp.key"))
    try:
        key = asyncssh.import_private_key(secret)
        host_key = asyncssh.import_public_key(parcel.target.get("host_key", ""))
    except (asyncssh.KeyImportError, ValueError):
        return Told(arrived=False, code="delivery/key-form")
    try:
        told: Told = asyncio.run(_connected(parcel, act, key=key, host_key=host_key))
    except asyncssh.HostKeyNotVerifiable:
        return Told(arrived=False, code=OTHER_KEY)
    except asyncssh.PermissionDenied:
        return Told(arrived=False, code="delivery/not-known-there")
    except (OSError, asyncssh.Error) as fault:
        return Told(arrived=None, code=why_unreached(fault))
    return told


async def _connected(parcel: Parcel, act: Any, *, key: Any, host_key: Any) -> Told:
    place = urlsplit(parcel.target["address"])
    folder = PurePosixPath(unquote(place.path).removeprefix("/") or ".")
    signed_in = _signed_in(place.hostname or "", place.port or 22, parcel, key, host_key)
    async with _ended_after(_patience(act, parcel)) as ending, signed_in as connection:
        ending(connection.abort)
        async with connection.start_sftp_client() as sftp:
            told: Told = await act(sftp, folder / f"{parcel.package}.gwp", parcel)
    return told


def _signed_in(host: str, port: int, parcel: Parcel, key: Any, host_key: Any) -> Any:
    return _library().connect(
        host,
        port,
        # Of several addresses of one name, this tells what the last one said.
        sock=socket.create_connection((host, port), timeout=SECONDS),
        username=parcel.target.get("client", ""),
        client_keys=[key],
        known_hosts=([host_key], [], []),
        config=None,
        agent_path=None,
        connect_timeout=SECONDS,
        login_timeout=0,  # the time above is for signing in as well
        keepalive_interval=SECONDS,
    )


@asynccontextmanager
async def _ended_after(seconds: float) -> AsyncIterator[Callable[[Callable[[], None]], None]]:
    """End a connection when its time is over; a server that says nothing more is alive for ever.

    Giving up the wait is not enough: the library then waits for the server to say goodbye.

    Raises:
        TimeoutError: its time was over.
    """
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []
    try:
        yield lambda end: timers.append(loop.call_later(seconds, end))
    except (OSError, _library().Error) as fault:
        if any(loop.time() >= timer.when() for timer in timers):
            raise TimeoutError from fault
        raise
    finally:
        for timer in timers:
            timer.cancel()


async def _bring(sftp: Any, name: PurePosixPath, parcel: Parcel) -> Told:
    if await sftp.exists(name):
        same = await _digest(sftp, name) == parcel.digest
        return Told(arrived=same, code="" if same else "inbox/other-bytes", final=not same)
    part = name.with_name(f"{name.name}.part")
    async with sftp.open(part, "wb") as target:
        with parcel.path.open("rb") as source:
            while block := source.read(BLOCK):
                await target.write(block)
        await _synced(target)
    if (await sftp.stat(part)).size != _size(parcel.path):
        return Told(arrived=False, code="delivery/cut-short")
    await _renamed(sftp, part, name)
    return Told(arrived=True)


async def _receipt(sftp: Any, name: PurePosixPath, _parcel: Parcel) -> Told:
    return await _beside(sftp, name.with_name(f"{name.name}.receipt"))


async def _certificate(sftp: Any, name: PurePosixPath, _parcel: Parcel) -> Told:
    return await _beside(sftp, name.with_name(f"{name.name}.certificate"))


async def _beside(sftp: Any, beside: PurePosixPath) -> Told:
    if not await sftp.exists(beside):
        return Told(arrived=True)
    async with sftp.open(beside, "rb") as file:
        read: bytes = await file.read(LONGEST + 1)
    return Told(arrived=True, receipt=read.decode("ascii", "replace").strip())


async def _synced(target: Any) -> None:
    """Ask for the bytes to be durable; servers that cannot say so, and are believed."""
    asyncssh = _library()
    try:
        await target.fsync()
    except asyncssh.SFTPOpUnsupported:
        return


async def _renamed(sftp: Any, part: PurePosixPath, name: PurePosixPath) -> None:
    asyncssh = _library()
    try:
        await sftp.posix_rename(part, name)
    except asyncssh.SFTPOpUnsupported:
        await sftp.rename(part, name)


async def _digest(sftp: Any, name: PurePosixPath) -> str:
    digest = hashlib.sha256()
    async with sftp.open(name, "rb") as file:
        while block := await file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _patience(act: Any, parcel: Parcel) -> float:
    """How long a session may take, in seconds."""
    return SESSION_SECONDS + (_size(parcel.path) / SLOWEST if act is _bring else 0)


def _size(path: Path) -> int:
    return path.stat().st_size


def _library() -> Any:
    try:
        import asyncssh
    except ImportError:
        raise Unavailable(
            "delivery/no-sftp",
            "This installation has no SFTP client.",
            remedy="Install the gateway with its extra: pip install 'gateway[sftp]'.",
        ) from None
    return asyncssh
