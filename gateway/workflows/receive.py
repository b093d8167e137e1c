"""Take in a partner's extract: check it, keep what was agreed, say what is wrong.

The file is read once, in a process that holds no key and can reach nothing. What
it accepts is sealed as it comes; what it finds names rows, columns and rules. The
same bytes always get the same receipt.

Source: UK GDPR Art 5(1)(c), (d); requirements R12-R18.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from typing import Any, BinaryIO

from gateway.errors import RefusedError, Unavailable, UsageError
from gateway.intake import (
    ACCEPTED,
    QUARANTINED,
    REJECTED,
    Finding,
    Verdict,
    numbered,
    told_apart,
)
from gateway.model import Contract
from gateway.model.extracts import AGREED, ExtractRecord, apart, meanings
from gateway.workflows.ports import IntakeDesk, Progress, SealedSink

TELL_EVERY = 64 << 20

# Findings that may be this machine's and not the file's: they do not stand for its bytes.
OF_THE_MACHINE = frozenset({"intake/checker-limit", "intake/checker-fault"})


def receive(
    desk: IntakeDesk, source: BinaryIO, *, dataset: str, party: str, again: bool = False
) -> ExtractRecord:
    """Check one extract and store its accepted rows, sealed.

    Args:
        desk: where contracts, checker, judge and store are.
        source: the partner's file, read once from where it stands.
        dataset: the contract that it must keep.
        party: who sent it.
        again: take the same bytes in anew if another file has taken their place.

    Returns:
        The receipt: accepted, quarantined or rejected, with its findings.

    Raises:
        UsageError: there is no such dataset.
        RefusedError: this party may not send this dataset.
    """
    contract = _contract_for(desk, dataset, party)
    attempt = _Attempt(desk, source, contract)
    desk.progress("checking")
    try:
        checked = desk.checker.check(
            attempt.reader(),
            contract,
            known_columns=_known_columns(desk),
            sink=attempt.write,
            failing=attempt.rows.write,
            left_out=attempt.leave_out,
        )
        verdict = told_apart(checked, contract, desk.contracts.values())
        digest = attempt.digest()
        earlier = desk.extracts.find(dataset, party, digest, desk.contract_digests[dataset])
        if earlier is not None and not (again and earlier.superseded_by):
            attempt.discard()
            return earlier
        about = _about(desk, attempt, contract, party)
        return _recorded(desk, attempt, verdict, about, again=again)
    except BaseException:
        # A stop by signal too must leave nothing half stored; the fault itself goes on.
        attempt.discard()
        raise


class _Attempt:
    """One file being taken in."""

    def __init__(self, desk: IntakeDesk, source: BinaryIO, contract: Contract) -> None:
        self.extract = extract = desk.new_id("extract")
        self._digesting = _Digesting(source, desk.progress)
        self._sink: SealedSink = desk.extracts.sink(extract)
        self.rows = desk.extracts.rows_sink(extract, numbered(contract))

    def reader(self) -> BinaryIO:
        """The file from where it stands, hashed as it is read."""
        return io.BufferedReader(self._digesting, 1 << 20)

    def write(self, block: bytes) -> None:
        """Pass on accepted frames to the sealer."""
        self._sink.write(block)

    def leave_out(self, places: bytes) -> None:
        """Pass on which accepted rows repeat a value that must be unique."""
        self._sink.leave_out(places)

    def digest(self) -> str:
        """SHA-256 of the whole file."""
        return self._digesting.rest()

    def finish(self) -> str:
        """Make the stored extract durable; the digest of its sealed bytes."""
        self.rows.finish()
        return self._sink.finish()

    def keep_rows_only(self) -> None:
        """Store nothing of a rejected file but which rows failed which rule."""
        self._sink.discard()
        self.rows.finish()

    def discard(self) -> None:
        """Leave nothing of this attempt."""
        self._sink.discard()
        self.rows.discard()


def _contract_for(desk: IntakeDesk, dataset: str, party: str) -> Contract:
    contract = desk.contracts.get(dataset)
    if contract is None:
        raise UsageError(
            "intake/unknown-dataset",
            f'There is no dataset "{dataset}".',
            remedy=f"Datasets are: {', '.join(sorted(desk.contracts))}.",
            dataset=dataset,
        )
    if party not in contract.parties:
        raise RefusedError(
            "intake/not-a-sender",
            f'"{party}" is not agreed as a sender of "{dataset}".',
            remedy=f"Agreed senders are: {', '.join(contract.parties)}.",
            dataset=dataset,
        )
    return contract


def _known_columns(desk: IntakeDesk) -> frozenset[str]:
    return frozenset(
        name
        for contract in desk.contracts.values()
        for column in contract.columns
        for name in (column.name, *column.aliases)
    )


def _about(desk: IntakeDesk, attempt: _Attempt, contract: Contract, party: str) -> dict[str, Any]:
    return {
        "id": attempt.extract,
        "dataset": contract.id,
        "party": party,
        "received_at": desk.now(),
        "content_digest": attempt.digest(),
        "contract_digest": desk.contract_digests[contract.id],
    }


def _recorded(
    desk: IntakeDesk, attempt: _Attempt, verdict: Verdict, about: dict[str, Any], *, again: bool
) -> ExtractRecord:
    """Let Great Expectations judge, then keep the receipt; a disagreement is held."""
    desk.progress("judging")
    previous = desk.extracts.latest(about["dataset"], about["party"])
    evidence = desk.judge.judge(
        desk.contracts[about["dataset"]], verdict, previous.profile if previous else None
    )
    if evidence.get("fault"):
        # Nobody has judged: a receipt now would stand for these bytes for ever.
        raise Unavailable(
            "intake/no-judgement",
            "The process that judges the file did not answer.",
            remedy="Nothing was stored. Free memory on this machine, then send the file again.",
        )
    evidence = {**evidence, AGREED: meanings(desk.contracts[about["dataset"]])}
    if not evidence["success"]:
        verdict = _disputed(verdict)
    if any(finding.code in OF_THE_MACHINE for finding in verdict.findings):
        about = about | {"contract_digest": apart(about["contract_digest"], about["id"])}
    sealed: dict[str, Any] = {}
    if verdict.state == REJECTED:
        attempt.keep_rows_only()
    else:
        sealed = {"sealed_name": f"{about['id']}.age", "sealed_digest": attempt.finish()}
    return desk.extracts.record(
        ExtractRecord(
            **about,
            **sealed,
            state=verdict.state,
            rows=verdict.rows,
            accepted=verdict.accepted,
            quarantined=verdict.quarantined,
            dropped_columns=tuple(verdict.dropped_columns),
            findings=tuple(verdict.findings_json(desk.contracts[about["dataset"]])),
            profile=verdict.profile,
            evidence=evidence,
        ),
        again=again,
    )


def _disputed(verdict: Verdict) -> Verdict:
    """Say that the library decided otherwise; what was accepted waits for a person."""
    differs = Finding(code="intake/judgement-differs")
    verdict = replace(verdict, findings=(differs, *verdict.findings))
    if verdict.state != ACCEPTED:
        return verdict
    return replace(verdict, state=QUARANTINED, accepted=0, quarantined=verdict.rows)


class _Digesting(io.RawIOBase):
    """A file being read once, with the SHA-256 of all its bytes."""

    def __init__(self, source: BinaryIO, progress: Progress) -> None:
        super().__init__()
        self._source = source
        self._digest = hashlib.sha256()
        self._progress = progress
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._source.read(len(buffer))
        self._digest.update(block)
        before, self._read = self._read, self._read + len(block)
        if before // TELL_EVERY != self._read // TELL_EVERY:
            self._progress("read, MiB:", self._read >> 20)
        buffer[: len(block)] = block
        return len(block)

    def rest(self) -> str:
        """Read what the checker left unread, and give the digest of the whole."""
        while block := self._source.read(1 << 20):
            self._digest.update(block)
        return self._digest.hexdigest()
