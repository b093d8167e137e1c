"""What is said about entries: the council's answers, and doubtful matches that were settled.

Such an act is a row of the register like any other: numbered, chained, told to the
ledger, noted beside the key ring, and sealed to its place under the register root.
So nobody who can only write the database can make an objection stop counting.

Source: security point 16; UK GDPR Arts 12(3), 21; docs/explanation/objections.md.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
from sqlalchemy import Connection

from gateway import objections
from gateway.adapters import ledger_store
from gateway.adapters.register_seal import NONCE, RegisterKeys, seal, unseal
from gateway.adapters.register_trust import ENTRIES, EntryRow, head, link
from gateway.objections import EntryKind, Status

_EVENTS: Mapping[EntryKind, str] = {
    EntryKind.ANSWERED: "register-entry-answered",
    EntryKind.MATCH_SAME: "register-match-settled",
    EntryKind.MATCH_OTHER: "register-match-settled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAct:
    """An answer or a settlement, about entries of one controller.

    `subject` is the receipt or match that it is about; `told` is sealed with the row.
    """

    kind: EntryKind
    subject: str
    purpose: str
    controller: str
    authority: str
    operator: str
    about: Sequence[int]
    status: str = Status.UNANSWERED.value
    told: Mapping[str, str] = field(default_factory=dict, repr=False)


def record_act(connection: Connection, act: NewAct, keys: RegisterKeys, *, at: dt.datetime) -> int:
    """Append an act and its ledger event, in the caller's transaction; returns its number."""
    last, chain = head(connection)
    row = EntryRow(
        sequence=last + 1,
        receipt=f"reg-{secrets.token_hex(8)}",
        kind=act.kind.value,
        purpose=act.purpose,
        controller=act.controller,
        authority=act.authority,
        operator=act.operator,
        status=act.status,
        received=at.isoformat(),
        lifts=json.dumps(list(act.about)),
        generation=keys.generation,
        details=seal(act.told, keys, sequence=last + 1, nonce=secrets.token_bytes(NONCE)),
        tombstones=b"",
        chain=b"",
    )
    whole = row._replace(chain=link(chain, row[:-1]))
    facts: dict[str, str | int] = {
        "subject": act.subject,
        "purpose": "all-purposes" if act.purpose == objections.ANY_PURPOSE else act.purpose,
        "register_sequence": whole.sequence,
        "state": act.status if act.kind is EntryKind.ANSWERED else act.kind.value,
        "source": act.authority,
        "register": act.controller,
        "operator": act.operator,
    }
    if act.kind is EntryKind.ANSWERED:
        facts["entries"] = len(act.about)
    ledger_store.append(connection, _EVENTS[act.kind], facts, salt=secrets.token_bytes(32), at=at)
    connection.execute(ENTRIES.insert().values(whole._asdict()))
    return whole.sequence


def settled(rows: Sequence[EntryRow], keys: RegisterKeys) -> pl.DataFrame:
    """The settlements that still count, as `objections.SETTLED_SCHEMA`: the newest of each pair.

    One that was made under an earlier register root names its pair in a way that no
    cohort can be compared with any more: that pair is asked about again.

    Raises:
        Unavailable: one does not open under the register root.
    """
    kinds = (EntryKind.MATCH_SAME.value, EntryKind.MATCH_OTHER.value)
    found: dict[tuple[int, bytes], bool] = {}
    for row in rows:
        if row.kind in kinds and row.generation == keys.generation:
            told = unseal(row.details, keys, sequence=row.sequence)
            pair = (json.loads(row.lifts)[0], bytes.fromhex(told["match"]))
            found[pair] = row.kind == EntryKind.MATCH_SAME.value
    every = [(sequence, match, same) for (sequence, match), same in found.items()]
    return pl.DataFrame(every, schema=dict(objections.SETTLED_SCHEMA), orient="row")
