"""The ledger: every outcome before its effect, in a log that cannot be rewritten unseen.

Pure: `gateway.adapters.ledger_store` keeps the rows, `gateway.standalone` checks
the same log without this code.

Source: UK GDPR Arts 5(2), 30; RFC 9162; docs/reference/ledger.md.
"""

from gateway.ledger.checkpoints import (
    CHECKPOINT_TYP,
    Checkpoint,
    decode_checkpoint,
    encode_checkpoint,
)
from gateway.ledger.entries import (
    SALT_SIZE,
    Entry,
    LeafRef,
    canonical_object,
    commit,
    decode_entry,
    encode_entry,
    entry_id,
    parse_utc,
    utc_text,
)
from gateway.ledger.events import EVENTS, FACTS, Event, Fact, check_facts
from gateway.ledger.linking import Continuation, Link, link
from gateway.ledger.promises import PROMISES, judge
from gateway.ledger.proofs import (
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
)
from gateway.ledger.recording import EntryProof, check_entry, packages_digest, record
from gateway.ledger.story import Outcome, Told, Verdict
from gateway.ledger.tree import EMPTY_ROOT, CompactRange, Node, NodeReader, grow, leaf_hash, root

__all__ = [
    "CHECKPOINT_TYP",
    "EMPTY_ROOT",
    "EVENTS",
    "FACTS",
    "PROMISES",
    "SALT_SIZE",
    "Checkpoint",
    "CompactRange",
    "Continuation",
    "Entry",
    "EntryProof",
    "Event",
    "Fact",
    "LeafRef",
    "Link",
    "Node",
    "NodeReader",
    "Outcome",
    "Told",
    "Verdict",
    "canonical_object",
    "check_consistency",
    "check_entry",
    "check_facts",
    "check_inclusion",
    "commit",
    "consistency_path",
    "decode_checkpoint",
    "decode_entry",
    "encode_checkpoint",
    "encode_entry",
    "entry_id",
    "grow",
    "inclusion_path",
    "judge",
    "leaf_hash",
    "link",
    "packages_digest",
    "parse_utc",
    "record",
    "root",
    "utc_text",
]
