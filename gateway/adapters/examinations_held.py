"""Examinations of what lies beside the database: passphrase, sealed files, keys, the address.

What is looked at costs bounded time: every stored extract is asked for its name, and the
newest are read; the sentence says how many.

Source: security points 7, 8, 19, 22; docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.adapters import keyring_files, keyring_wrap, policy_reading
from gateway.adapters.deliveries import DELIVERIES, DeliveryState
from gateway.adapters.examination import Found, Health, Patient, well
from gateway.adapters.extract_store import EXTRACTS
from gateway.adapters.keyring_passphrase import read_passphrase
from gateway.adapters.keyring_rewrap import HEADER
from gateway.adapters.settings import Settings, is_protected
from gateway.model.counting import counted

NEWEST_READ, SECONDS_READING, MOST_NAMED = 20, 5.0, 10
_SEALED = ("sealed_name", "sealed_digest")
KEY_FILES = {"https": "client.key", "sftp": "sftp.key"}
_FROM_BACKUP = "Put it back from the newest backup; what it held is asked of its partner anew."


def passphrase(patient: Patient) -> Iterator[Found]:
    """The passphrase's file is there, private, and opens the ring."""
    if patient.settings.passphrase_file is None:
        yield well("passphrase", "It is asked for on the terminal.")
        return
    header = keyring_files.read_safely(patient.settings.ring / HEADER)
    content = keyring_wrap.parse(header, form=keyring_wrap.RING_FORMAT)
    keyring_wrap.open_header(content, read_passphrase(patient.settings))
    yield well("passphrase", "Its file is private and opens the key ring.")


def extracts(patient: Patient) -> Iterator[Found]:
    """Every stored extract is there, and the newest are as they were recorded."""
    columns = [EXTRACTS.c[name] for name in ("id", "dataset", "party", *_SEALED)]
    query = sa.select(*columns).where(
        EXTRACTS.c.state == "accepted", EXTRACTS.c.sealed_digest != ""
    )
    with patient.database.read() as connection:
        every = connection.execute(query.order_by(EXTRACTS.c.sequence.desc())).all()
    folder = patient.settings.data / "extracts"
    there = [row for row in every if (folder / row.sealed_name).is_file()]
    if len(there) < len(every):
        gone = [row for row in every if row not in there]
        yield _ill("extracts", f"{_counted(gone, 'gone')}: {_named(gone)}.", _FROM_BACKUP)
    read, changed, end = 0, [], time.monotonic() + SECONDS_READING
    for row in there[:NEWEST_READ]:
        if time.monotonic() > end:
            break
        read += 1
        if _digest(folder / row.sealed_name) != row.sealed_digest:
            changed.append(row)
    if changed:
        what = f"{_counted(changed, 'not as recorded')}: {_named(changed)}."
        yield _ill("extracts", what, _FROM_BACKUP)
    well_there = f"{len(there)} {'is' if len(there) == 1 else 'are'} there"
    yield well("extracts", f"{well_there}; the newest {read} {_was(read)} read.")


def _counted(rows: Sequence[Any], state: str) -> str:
    return f"{counted(len(rows), 'stored extract is', 'stored extracts are')} {state}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _named(rows: Sequence[Any]) -> str:
    """Which they are and whose, so that the right partner can be asked."""
    told = [f"{row.id} ({row.dataset} of {row.party})" for row in rows[:MOST_NAMED]]
    more = len(rows) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def packages_waiting(patient: Patient) -> Iterator[Found]:
    """Every package that has still to leave is there."""
    query = sa.select(DELIVERIES.c.package).where(DELIVERIES.c.state == DeliveryState.WAITING)
    with patient.database.read() as connection:
        waiting = list(connection.execute(query).scalars())
    outgoing = patient.settings.data / "outgoing"
    gone = sum(not (outgoing / f"{package}.gwp").is_file() for package in waiting)
    if gone:
        yield _ill(
            "packages",
            counted(gone, "package that waits to leave is", "packages that wait to leave are")
            + " gone.",
            "Put outgoing/ back from its backup. `gateway deliveries list` names them.",
        )
        return
    told = counted(len(waiting), "package waits", "packages wait")
    yield well("packages", f"{told} to leave; nothing is missing.")


def delivery_keys(patient: Patient) -> Iterator[Found]:
    """There is a key for each recipient of an agreement that packages are brought to."""
    folder = patient.settings.delivery_keys
    with patient.database.read() as connection:
        bundle = policy_reading.decision_inputs(connection).bundle
    named = {
        output.recipient
        for agreement in bundle.agreements.values()
        for purpose in agreement.purposes.values()
        for output in purpose.outputs.values()
    }
    by_key = {
        each.id: KEY_FILES[each.channel]
        for each in bundle.recipients.values()
        if each.channel in KEY_FILES and each.id in named
    }
    if folder is not None and not folder.is_dir():
        yield _ill(
            "delivery keys",
            "The folder that GATEWAY_DELIVERY_KEYS names is not there.",
            "Put it back, or correct the setting.",
        )
        return
    without = [
        name
        for name, file in sorted(by_key.items())
        if not (folder and (folder / name / file).is_file())
    ]
    if without:
        yield _look(
            "delivery keys",
            f"There is no key for packages to {', '.join(without[:5])}.",
            "Give each a folder in GATEWAY_DELIVERY_KEYS, with client.key for https or sftp.key.",
        )
    told = counted(len(by_key), "recipient is", "recipients are")
    yield well("delivery keys", f"{told} brought packages.")


def address(patient: Patient) -> Iterator[Found]:
    """Callers reach the service by TLS, and it counts them apart."""
    settings = patient.settings
    if not is_protected(settings.public_url):
        yield _ill(
            "address",
            "GATEWAY_PUBLIC_URL is neither https nor this machine itself: nothing would start.",
            "Set the https address at which callers reach the service.",
        )
        return
    if (
        settings.public_url.startswith("https://")
        and not settings.proxies
        and not _speaks_tls(settings)
    ):
        yield _look(
            "address",
            "GATEWAY_PROXIES is 0: behind a proxy all callers are one, with one limit of tries.",
            "Set it to how many proxies stand in front. Without one, serve with --certfile.",
        )
    yield well("address", "Callers reach the service by TLS, or on this machine alone.")


def _speaks_tls(settings: Settings) -> bool:
    """Whether something listens where the settings say, and knows no plain HTTP."""
    host = "127.0.0.1" if settings.host in ("", "0.0.0.0", "::") else settings.host  # noqa: S104
    asked = http.client.HTTPConnection(host, settings.port, timeout=2)
    try:
        asked.connect()
        asked.request("GET", "/healthz")
        asked.getresponse()
    except ConnectionRefusedError:
        return False
    except (OSError, http.client.HTTPException):
        return asked.sock is not None
    finally:
        asked.close()
    return False


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ill(subject: str, sentence: str, remedy: str) -> Found:
    return Found(subject=subject, health=Health.ILL, sentence=sentence, remedy=remedy)


def _look(subject: str, sentence: str, remedy: str) -> Found:
    return Found(subject=subject, health=Health.LOOK, sentence=sentence, remedy=remedy)
