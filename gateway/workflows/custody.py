"""Custody of keys: made by one, confirmed by two, used by leave, destroyed for good.

Each act says who may (permission table), is recorded in the ledger, and only then
done: what could not be recorded does not happen, and an act that a power cut
interrupted is finished by repeating it.

Source: docs/reference/keys.md; security points 3–8, 20; NIST SP 800-57 part 1, 8.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable

from gateway.errors import IntegrityError, RefusedError, UsageError
from gateway.model.keys import MONTHLY, OWNED, Destruction, KeyKind, KeyRecord, KeyState, key_id
from gateway.model.permissions import Action, authorise
from gateway.workflows.ports_keys import Books, CustodyDesk, Fact, Offer


def make_key(desk: CustodyDesk, kind: KeyKind, *, owner: str = "", epoch: str = "") -> KeyRecord:
    """Make a key from fresh randomness; a study's root for exactly one epoch."""
    desk.ring.unlock()
    with desk.books() as books:
        allow(books, desk.acting, Action.KEY_NEW)
        epoch = epoch or _next_epoch(desk, books, kind, owner)
        _refuse_taken(desk, books, kind, owner, epoch)
        name = key_id(kind, owner=owner, epoch=epoch)
        books.record("key-made", _facts(desk, name, kind, owner, epoch))
    return desk.ring.make(kind, owner=owner, epoch=epoch, at=desk.at)


def note_offer(desk: CustodyDesk, offer: Offer, *, key: str) -> None:
    """Record who receives a copy of a study root, before the copy exists as a file."""
    record = desk.ring.record(key)
    with desk.books() as books:
        allow(books, desk.acting, Action.KEY_OFFER)
        _refuse_other_than_study(record)
        _refuse_destroyed(books, key)
        books.offered(key, offer.party)
        facts = _facts(desk, key, record.kind, record.owner, record.epoch)
        books.record("key-offered", {**facts, "holder": offer.party})


def accept(desk: CustodyDesk, offer: Offer, root: bytes) -> KeyRecord:
    """Keep a verified offer's root as pending: no token is made with it yet."""
    desk.ring.unlock()
    kind = KeyKind.STUDY_ROOT
    with desk.books() as books:
        allow(books, desk.acting, Action.KEY_ACCEPT)
        _refuse_taken(desk, books, kind, offer.study, offer.epoch)
        name = key_id(kind, owner=offer.study, epoch=offer.epoch)
        books.note_acceptance(name, desk.acting)
        books.record("key-accepted", _facts(desk, name, kind, offer.study, offer.epoch))
    return desk.ring.put(kind, root, owner=offer.study, epoch=offer.epoch, at=desk.at)


def confirm(desk: CustodyDesk, key: str, *, heard: str, computed: str) -> KeyRecord:
    """Make an accepted key ready: a second person heard the same check value by voice."""
    record = desk.ring.record(key)
    with desk.books() as books:
        allow(books, desk.acting, Action.KEY_CONFIRM)
        if record.state is KeyState.READY:
            raise UsageError(
                "keys/not-pending",
                f"{key} is ready already.",
                remedy="Nothing is left to do: grant it when it is needed.",
            )
        if books.accepted_by(key) == desk.acting:
            raise _same_person("accepted", "confirm")
        if not hmac.compare_digest(_spoken(heard), _spoken(computed)):
            raise IntegrityError(
                "keys/check-differs",
                f"The check value that you heard is not that of {key}.",
                remedy="Somebody sent another root. Destroy the key, and ask for a new offer.",
            )
        facts = _facts(desk, key, record.kind, record.owner, record.epoch)
        books.record("key-confirmed", facts)
    return desk.ring.settle(key)


def grant(desk: CustodyDesk, key: str, *, purpose: str, policy_digest: str, until: dt.date) -> None:
    """Let a key be used for one purpose under one policy digest until a day."""
    record = desk.ring.record(key)
    if record.state is not KeyState.READY:
        raise RefusedError(
            "keys/pending",
            f"{key} is not confirmed yet.",
            remedy="Confirm it with `gateway keys confirm` first.",
        )
    if until < desk.at.date():
        raise UsageError(
            "keys/grant-past",
            "The last day of the grant is past.",
            remedy="Name a last day with --until that is today or later.",
        )
    with desk.books() as books:
        allow(books, desk.acting, Action.KEY_GRANT, named=True)
        _refuse_destroyed(books, key)
        if not books.acted_on_policy(policy_digest):
            raise UsageError(
                "keys/unknown-policy",
                "Nobody has proposed a policy of that digest.",
                remedy="Copy the digest that `gateway policy status` shows.",
            )
        if desk.acting in books.acted_on_policy(policy_digest):
            raise _same_person("proposed or approved this policy", "grant its keys")
        books.add_grant(key, purpose, policy_digest, until, desk.acting)
        facts = _facts(desk, key, record.kind, record.owner, record.epoch)
        more = {"purpose": purpose, "policy_digest": policy_digest, "until": until.isoformat()}
        books.record("key-granted", {**facts, **more})


def rotate(desk: CustodyDesk, key: str, *, epoch: str = "") -> KeyRecord:
    """Make the key's successor; the old key stays until it is destroyed."""
    desk.ring.unlock()
    old = desk.ring.record(key)
    with desk.books() as books:
        allow(books, desk.acting, Action.KEY_ROTATE)
        if old.kind is KeyKind.OPERATOR:
            raise UsageError(
                "keys/operator-not-rotated",
                "A person's key is not rotated: what it signed has to stay verifiable.",
                remedy="Revoke the person's roles and add them under a new name.",
            )
        epoch = epoch or _next_epoch(desk, books, old.kind, old.owner)
        _refuse_taken(desk, books, old.kind, old.owner, epoch)
        name = key_id(old.kind, owner=old.owner, epoch=epoch)
        facts = _facts(desk, name, old.kind, old.owner, epoch)
        books.record("key-rotated", {**facts, "supersedes": key})
    return desk.ring.make(old.kind, owner=old.owner, epoch=epoch, at=desk.at)


def change_passphrase(desk: CustodyDesk, choose: Callable[[], bytes]) -> int:
    """Seal every key under a new passphrase; one that was interrupted is repeated.

    The passphrase is chosen once it is known that the operator may, and outside of any
    transaction: somebody may be typing it.
    """
    desk.ring.unlock()
    with desk.books() as books:
        allow(books, desk.acting, Action.KEY_ROTATE)
    passphrase = choose()
    with desk.books() as books:
        allow(books, desk.acting, Action.KEY_ROTATE)
        facts: dict[str, Fact] = {"count": len(desk.ring.records())}
        by: dict[str, Fact] = {"operator": desk.acting} if desk.acting else {}
        books.record("passphrase-changed", facts | by)
    return desk.ring.rewrap(passphrase)


def destroy(desk: CustodyDesk, key: str) -> tuple[Destruction, tuple[str, ...]]:
    """Destroy our copies of a key for good; a repetition finishes what was interrupted.

    One that was finished may be repeated too: whoever was stopped before the certificate
    was written asks for it again.

    Returns:
        What was destroyed, and who else holds a copy: "destroyed here" is not "destroyed".

    Raises:
        UsageError: there is no such key and never was.
    """
    kept = {record.id: record for record in desk.ring.records()}
    with desk.books() as books:
        allow(books, desk.acting, Action.KEY_DESTROY)
        holders = books.holders(key)
        ordered = books.destruction(key) or _order(desk, books, desk.ring.record(key))
    if key in kept:
        desk.ring.destroy(key)
    return ordered, holders


def _order(desk: CustodyDesk, books: Books, record: KeyRecord) -> Destruction:
    if record.kind is KeyKind.OPERATOR and record.owner == desk.acting:
        raise _same_person("signs the certificate", "destroy the key that signs it")
    books.order_destruction(record, desk.acting)
    facts = _facts(desk, record.id, record.kind, record.owner, record.epoch)
    books.record("key-destroyed", facts)
    return Destruction(key=record.id, kind=record.kind, by=desk.acting, ordered=desk.at)


def allow(books: Books, acting: str, action: Action, *, named: bool = False) -> None:
    """Refuse an act that the operator may not do.

    Until somebody holds a role for the act, whoever opens the ring may do it; an
    act that is signed (`named`) always needs an operator.
    """
    if acting:
        authorise(books.operator(acting), action)
    elif named or books.anyone_may(action):
        raise UsageError(
            "operators/name-missing",
            f'Say who acts: "{action}" needs --as NAME.',
            remedy="`gateway operators list` shows who holds which role.",
        )


def _facts(desk: CustodyDesk, key: str, kind: KeyKind, owner: str, epoch: str) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"key": key, "kind": kind.value}
    if kind is KeyKind.STUDY_ROOT:
        facts |= {"study": owner, "epoch": epoch}
    if desk.acting:
        facts["operator"] = desk.acting
    return facts


def _next_epoch(desk: CustodyDesk, books: Books, kind: KeyKind, owner: str) -> str:
    if kind is KeyKind.STUDY_ROOT:
        raise UsageError(
            "keys/epoch-missing",
            f"A {kind} key needs its epoch.",
            remedy="Name it with --epoch, as agreed with the other key holders.",
        )
    there = {record.id for record in desk.ring.records()}
    generation = 1
    while (name := key_id(kind, owner=owner, epoch=_numbered(kind, owner, generation))) and (
        name in there or books.destroyed(name)
    ):
        generation += 1
    return _numbered(kind, owner, generation)


def _numbered(kind: KeyKind, owner: str, generation: int) -> str:
    """Write a generation as an epoch; a month pair's first one is its month itself."""
    if kind not in MONTHLY:
        return str(generation)
    return owner if generation == 1 else f"{owner}-{generation}"


def _refuse_taken(desk: CustodyDesk, books: Books, kind: KeyKind, owner: str, epoch: str) -> None:
    if (kind in OWNED) is not bool(owner):
        raise _owner_wrong(kind, missing=not owner)
    name = key_id(kind, owner=owner, epoch=epoch)
    _refuse_destroyed(books, name)
    if any(record.id == name for record in desk.ring.records()):
        raise UsageError(
            "keys/exists",
            f"There is a key {name} already.",
            remedy="A root belongs to one epoch: choose the next one.",
        )


def _owner_wrong(kind: KeyKind, *, missing: bool) -> UsageError:
    return UsageError(
        "keys/owner-missing" if missing else "keys/owner-needless",
        f"A {kind} key belongs to one study, controller or month."
        if missing
        else f"A {kind} key is the gateway's own.",
        remedy="`gateway keys new --help` shows which option names its owner.",
    )


def _refuse_destroyed(books: Books, key: str) -> None:
    if books.destroyed(key):
        raise RefusedError(
            "keys/destroyed",
            f"{key} was destroyed here; no key of that name is made, offered or granted again.",
            remedy="Choose the next epoch.",
        )


def _refuse_other_than_study(record: KeyRecord) -> None:
    if record.kind is not KeyKind.STUDY_ROOT or record.state is not KeyState.READY:
        raise RefusedError(
            "keys/not-offered",
            f"{record.id} is not a ready study root; no other key leaves this gateway.",
            remedy="Name a study root that is ready: `gateway keys list`.",
        )


def _same_person(first: str, second: str) -> RefusedError:
    return RefusedError(
        "operators/same-person",
        f"Whoever {first} may not {second}.",
        remedy="Ask another operator.",
    )


def _spoken(value: str) -> bytes:
    return "".join(letter for letter in value.lower() if letter in "0123456789abcdef").encode()
