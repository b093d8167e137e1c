"""Sealing: one package for one recipient, which only that recipient can open.

Pure: bytes come from a `ByteSource` and go to a `ByteSink`; keys are arguments.

Source: UK GDPR Art 32; docs/reference/package.md.
"""

from gateway.sealing.envelope import Envelope, recipient_key_id
from gateway.sealing.jws import (
    CHECKPOINT_TYP,
    ENVELOPE_TYP,
    MANIFEST_TYP,
    Signer,
    sign_compact,
    sign_detached,
    verify_compact,
    verify_detached,
)
from gateway.sealing.making import seal
from gateway.sealing.manifest import (
    LedgerPart,
    Manifest,
    ManifestColumn,
    complete_manifest,
    core_digest,
    core_manifest,
    datapackage,
    split_manifest,
    withheld_band,
)
from gateway.sealing.opening import (
    Contents,
    Outer,
    check_inner,
    check_outer,
    identity_of,
    unseal,
)
from gateway.sealing.streams import ByteSink, ByteSource, Reader
from gateway.sealing.trust import Trust, TrustedKey, fingerprint, parse_trust, trust_descriptor

__all__ = [
    "CHECKPOINT_TYP",
    "ENVELOPE_TYP",
    "MANIFEST_TYP",
    "ByteSink",
    "ByteSource",
    "Contents",
    "Envelope",
    "LedgerPart",
    "Manifest",
    "ManifestColumn",
    "Outer",
    "Reader",
    "Signer",
    "Trust",
    "TrustedKey",
    "check_inner",
    "check_outer",
    "complete_manifest",
    "core_digest",
    "core_manifest",
    "datapackage",
    "fingerprint",
    "identity_of",
    "parse_trust",
    "recipient_key_id",
    "seal",
    "sign_compact",
    "sign_detached",
    "split_manifest",
    "trust_descriptor",
    "unseal",
    "verify_compact",
    "verify_detached",
    "withheld_band",
]
