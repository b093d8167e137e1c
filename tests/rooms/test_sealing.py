"""The sealing room's parts: signatures, archive form, padding, tables, trust, manifest."""

import csv
import datetime as dt
import io
import json
from dataclasses import dataclass, replace

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway import sealing
from gateway.errors import IntegrityError, Unavailable, UsageError
from gateway.sealing.archive import ArchiveReader, Collector, Member, fill, member_header
from gateway.sealing.envelope import decode_envelope, encode_envelope
from gateway.sealing.ladder import LOWEST, rung
from gateway.sealing.making import inner_sizes
from gateway.sealing.streams import PartsReader
from gateway.sealing.tables import CsvCheck

AT = dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
KEYS = {"k1": PUBLIC}
TYP = sealing.MANIFEST_TYP


@dataclass(frozen=True)
class Key:
    key_id: str = "k1"

    def sign(self, message):
        return PRIVATE.sign(message)


def b64(raw):
    import base64

    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# --- signatures ----------------------------------------------------------------


def test_a_signature_verifies_and_carries_its_payload():
    jws = sealing.sign_compact(b"{}", typ=TYP, signer=Key())
    assert sealing.verify_compact(jws, typ=TYP, keys=KEYS) == (b"{}", "k1")


def test_a_detached_signature_has_an_empty_middle():
    jws = sealing.sign_detached(b"{}", typ=TYP, signer=Key())
    assert jws.split(".")[1] == ""
    assert sealing.verify_detached(jws, b"{}", typ=TYP, keys=KEYS) == "k1"
    with pytest.raises(IntegrityError, match="jws/signature"):
        sealing.verify_detached(jws, b"{ }", typ=TYP, keys=KEYS)


def test_a_payload_where_none_belongs_refuses():
    jws = sealing.sign_compact(b"{}", typ=TYP, signer=Key())
    with pytest.raises(IntegrityError, match="jws/form"):
        sealing.verify_detached(jws, b"{}", typ=TYP, keys=KEYS)


@pytest.mark.parametrize("typ", [sealing.ENVELOPE_TYP, sealing.CHECKPOINT_TYP, "", "JWT"])
def test_a_signature_over_one_kind_never_passes_for_another(typ):
    jws = sealing.sign_compact(b"{}", typ=TYP, signer=Key())
    with pytest.raises(IntegrityError, match="jws/form"):
        sealing.verify_compact(jws, typ=typ, keys=KEYS)


HEADERS = [
    {"alg": "none", "kid": "k1", "typ": TYP},
    {"alg": "HS256", "kid": "k1", "typ": TYP},
    {"alg": "EdDSA", "kid": "k1", "typ": TYP, "crit": ["b64"], "b64": False},
    {"alg": "EdDSA", "kid": "k1", "typ": TYP, "jwk": {}},
    {"alg": "EdDSA", "kid": "k 1", "typ": TYP},
    {"alg": "EdDSA", "typ": TYP},
    {"typ": TYP, "kid": "k1", "alg": "EdDSA"},
    [],
]


@pytest.mark.parametrize("header", HEADERS)
def test_any_other_header_refuses_though_it_is_signed(header):
    raw = json.dumps(header, separators=(",", ":")).encode()
    first = f"{b64(raw)}.{b64(b'{}')}"
    jws = f"{first}.{b64(PRIVATE.sign(first.encode()))}"
    with pytest.raises(IntegrityError, match="jws/form"):
        sealing.verify_compact(jws, typ=TYP, keys=KEYS)


def test_a_second_spelling_of_the_same_bytes_refuses():
    jws = sealing.sign_compact(b"{}", typ=TYP, signer=Key())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(jws[-1]) ^ 1]
    for spelling in (jws[:-1] + other, jws + "=", jws + "\n", jws.replace(".", ".."), "", "é.."):
        with pytest.raises(IntegrityError, match="jws/form"):
            sealing.verify_compact(spelling, typ=TYP, keys=KEYS)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({}, "jws/unknown-key"),
        ({"k2": PUBLIC}, "jws/unknown-key"),
        ({"k1": bytes(32)}, "jws/signature"),
        ({"k1": b"short"}, "jws/signature"),
    ],
)
def test_another_key_refuses(keys, code):
    jws = sealing.sign_compact(b"{}", typ=TYP, signer=Key())
    with pytest.raises(IntegrityError, match=code):
        sealing.verify_compact(jws, typ=TYP, keys=keys)


def test_a_key_id_that_could_break_the_header_is_refused():
    with pytest.raises(UsageError, match="jws/key-id"):
        sealing.sign_compact(b"", typ=TYP, signer=Key('k","alg":"none'))


# --- archive and ladder ----------------------------------------------------------


def archive_of(content, name="a"):
    return member_header(name, len(content)) + content + fill(len(content)) + bytes(1024)


@given(st.binary(max_size=2000), st.lists(st.integers(1, 700), max_size=20))
def test_an_archive_reads_the_same_however_it_is_cut(content, cuts):
    raw, kept, begin = archive_of(content), Collector(), 0
    reader = ArchiveReader([Member(("a",), 2000, kept.receive)])
    for cut in cuts:
        reader.write(raw[begin : begin + cut])
        begin += cut
    reader.write(raw[begin:])
    reader.close()
    assert kept.content == content


def test_a_member_over_its_limit_refuses():
    reader = ArchiveReader([Member(("a",), 3, lambda _: None)])
    with pytest.raises(IntegrityError, match="package/form"):
        reader.write(archive_of(b"four"))


def test_a_member_of_8_gib_is_refused():
    with pytest.raises(UsageError, match="package/too-large"):
        member_header("data.csv", 8 * 1024**3)
    assert len(member_header("data.csv", 8 * 1024**3 - 1)) == 512


@given(st.integers(0, 2**36))
def test_the_ladder_adds_at_most_an_eighth_and_has_few_rungs(size):
    step = rung(size)
    assert size <= step
    assert step == LOWEST or step <= size * 1.125 + 1
    assert rung(step) == step
    assert step % 512 == 0
    assert bin(step).count("1") <= 4


@given(st.lists(st.integers(0, 10**7), min_size=4, max_size=4))
def test_the_inner_archive_stands_on_a_rung(sizes):
    whole, padding = inner_sizes(tuple(sizes))
    assert rung(whole) == whole
    assert padding >= 0
    assert whole == sum(512 + s + -s % 512 for s in sizes) + 512 + padding + 1024


def test_parts_are_read_as_one_stream():
    assert PartsReader(iter([b"ab", b"", b"c"])).read() == b"abc"
    reader = PartsReader(iter([b"ab", b"", b"c"]))
    assert [reader.read(1) for _ in range(4)] == [b"a", b"b", b"c", b""]


# --- tables ------------------------------------------------------------------------

TEXT = st.text(alphabet='ab",\n é', max_size=6)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=12), st.tuples(TEXT, TEXT), st.integers(1, 9))
def test_rows_and_columns_are_those_of_the_csv_module(rows, header, step):
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerows([header, *rows])
    raw, check = written.getvalue().encode(), CsvCheck()
    for begin in range(0, len(raw), step):
        check.receive(raw[begin : begin + step])
    assert check.columns_and_rows() == (header, len(rows))


def test_a_last_record_without_a_line_end_counts():
    check = CsvCheck()
    check.receive(b"a,b\n1,2\n3,4")
    assert check.columns_and_rows() == (("a", "b"), 2)


@pytest.mark.parametrize("raw", [b"", b"a,b", b'a\n"open', b"\xff\n1\n", b'"a"x\n1\n'])
def test_a_file_that_is_no_csv_refuses(raw):
    check = CsvCheck()
    check.receive(raw)
    with pytest.raises(IntegrityError, match="package/data-form"):
        check.columns_and_rows()


# --- trust and envelope --------------------------------------------------------------


def trusted(**changes):
    key = sealing.TrustedKey(use="signing", key_id="k1", public=PUBLIC, not_before=AT)
    return replace(key, **changes)


def test_a_descriptor_reads_back_with_its_fingerprint():
    ends = AT + dt.timedelta(days=1)
    keys = [trusted(), trusted(use="ledger", key_id="k2", not_after=ends)]
    trust = sealing.parse_trust(sealing.trust_descriptor("knowsley", keys))
    assert set(trust.keys) == set(keys)
    assert trust.origin == "knowsley"
    assert len(sealing.fingerprint(trust)) == 64


def test_a_key_is_valid_in_its_time_only():
    ends = AT + dt.timedelta(days=1)
    trust = sealing.Trust(sender="s", origin="s", keys=(trusted(not_after=ends),))
    second = dt.timedelta(seconds=1)
    valid = [bool(trust.keys_for("signing", at)) for at in (AT - second, AT, ends, ends + second)]
    assert valid == [False, True, True, False]
    assert trust.keys_for("signing") == {"k1": PUBLIC}
    assert trust.keys_for("ledger") == {}


GOOD = json.loads(sealing.trust_descriptor("knowsley", [trusted()]))


@pytest.mark.parametrize(
    "document",
    [
        {**GOOD, "more": 1},
        {**GOOD, "format": "gateway-trust-2"},
        {**GOOD, "keys": []},
        {**GOOD, "sender": "a b"},
        {**GOOD, "origin": 5},
        {**GOOD, "keys": GOOD["keys"] * 2},
        {**GOOD, "keys": [{**GOOD["keys"][0], "use": "operator"}]},
        {**GOOD, "keys": [{**GOOD["keys"][0], "public": "00"}]},
        {**GOOD, "keys": [{**GOOD["keys"][0], "not_before": "2026"}]},
        {**GOOD, "keys": [{**GOOD["keys"][0], "key_id": "a b"}]},
        {**GOOD, "keys": [{**GOOD["keys"][0], "key_id": 5}]},
        {**GOOD, "keys": [{**GOOD["keys"][0], "more": 5}]},
        {**GOOD, "keys": [5]},
        [],
        5,
    ],
)
def test_any_other_descriptor_refuses(document):
    with pytest.raises(Unavailable, match="open/trust-form"):
        sealing.parse_trust(json.dumps(document).encode())


@pytest.mark.parametrize("raw", [b"", b"\xff", b'{"format":1,"format":1}'])
def test_a_descriptor_that_is_no_json_refuses(raw):
    with pytest.raises(Unavailable, match="open/trust-form"):
        sealing.parse_trust(raw)


ENVELOPE = sealing.Envelope(
    package="p1", sender="knowsley", recipient_key="age-" + "0" * 32, digest="1" * 64
)


def test_an_envelope_says_nothing_more():
    raw = encode_envelope(ENVELOPE)
    assert decode_envelope(raw) == ENVELOPE
    assert set(json.loads(raw)) == {"format", "package", "sender", "recipient_key", "digest"}


@pytest.mark.parametrize(
    "change",
    [
        lambda d: {**d, "rows": 5},
        lambda d: {**d, "digest": "x"},
        lambda d: {**d, "package": "../p1"},
        lambda d: {**d, "package": 5},
        lambda d: [],
    ],
)
def test_another_envelope_refuses(change):
    document = change(json.loads(encode_envelope(ENVELOPE)))
    raw = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(IntegrityError, match="package/envelope-form"):
        decode_envelope(raw)


# --- manifest --------------------------------------------------------------------------

MANIFEST = sealing.Manifest(
    package="p1",
    sender="knowsley",
    release="r1",
    output="payload",
    purpose="nis",
    agreement="knowsley",
    clause="4.2",
    policy_digest="0" * 64,
    recipient="ons",
    recipient_key="age-1",
    created=AT,
    rows=2,
    withheld="<10",
    register_read_at=AT,
    columns=(sealing.ManifestColumn(name="a", field_class="plain", treatment="keep", clause="4"),),
    data_file="data.csv",
    data_digest="2" * 64,
    duties=("destroy",),
    release_record="3" * 64,
)


@pytest.mark.parametrize(
    ("number", "band"),
    [(0, "<10"), (9, "<10"), (10, "10"), (14, "10"), (15, "20"), (104, "100"), (105, "110")],
)
def test_the_withheld_are_told_as_one_band(number, band):
    assert sealing.withheld_band(number) == band


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("policy_digest", ""),
        ("data_digest", "x"),
        ("release", "a b"),
        ("package", ""),
        ("clause", ""),
        ("rows", -1),
        ("columns", ()),
        ("duties", ()),
        ("data_file", "x.csv"),
    ],
)
def test_a_manifest_that_lacks_something_refuses_by_name(name, value):
    with pytest.raises(UsageError, match="package/manifest") as fault:
        sealing.core_manifest(replace(MANIFEST, **{name: value}))
    assert fault.value.facts["member"] == name


def test_a_manifest_without_a_time_zone_refuses():
    with pytest.raises(UsageError, match="package/manifest"):
        sealing.core_manifest(replace(MANIFEST, created=AT.replace(tzinfo=None)))


def test_the_core_is_the_manifest_without_the_ledger():
    core = sealing.core_manifest(MANIFEST)
    part = sealing.LedgerPart(
        index=1,
        size=3,
        root=bytes(32),
        entry=b'{"a":1}',
        salt=bytes(32),
        path=(bytes(32),),
        checkpoint="a.b.c",
        consistency=((1, bytes(32), (bytes(32),)),),
    )
    whole = sealing.complete_manifest(core, part)
    assert sealing.split_manifest(json.loads(json.dumps(whole))) == (core, part)


def test_the_data_package_describes_what_travels():
    described = json.loads(sealing.datapackage(MANIFEST))["resources"][0]
    assert described["path"] == "data.csv"
    assert described["schema"]["fields"] == [{"name": "a", "type": "string"}]
    parquet = json.loads(sealing.datapackage(replace(MANIFEST, data_file="data.parquet")))
    assert parquet["resources"][0]["format"] == "parquet"


class Source:
    def __init__(self, content, said=None):
        import hashlib

        self.content, self.size = content, len(said if said is not None else content)
        self.sha256 = hashlib.sha256(said if said is not None else content).hexdigest()

    def open(self):
        return io.BytesIO(self.content)


def sealed(data, recipient, **changes):
    made = replace(
        MANIFEST, data_digest=data.sha256, recipient_key=sealing.recipient_key_id(recipient)
    )
    manifest = {**sealing.core_manifest(made), "ledger": {}, **changes}
    return sealing.seal(
        io.BytesIO(),
        manifest=manifest,
        datapackage=sealing.datapackage(made),
        data=data,
        recipient=recipient,
        signer=Key(),
    )


RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())


def test_sealing_makes_the_stage_value():
    stage = sealed(Source(b"a\n1\n2\n"), RECIPIENT)
    assert (stage.package, stage.output, stage.recipient, stage.rows) == ("p1", "payload", "ons", 2)


def test_data_that_changed_since_it_was_serialised_is_not_sealed():
    for content in (b"a\n1\n3\n", b"a\n1\n", b"a\n1\n2\n3\n"):
        with pytest.raises(IntegrityError, match="package/data-changed"):
            sealed(Source(content, said=b"a\n1\n2\n"), RECIPIENT)


@pytest.mark.parametrize("name", ["data_digest", "datapackage_digest", "recipient_key"])
def test_a_manifest_of_something_else_is_not_sealed(name):
    with pytest.raises(IntegrityError, match="package/not-the-manifests"):
        sealed(Source(b"a\n1\n"), RECIPIENT, **{name: "0" * 64})


def test_a_full_disk_comes_out_as_itself():
    class Full(io.BytesIO):
        def write(self, chunk):
            raise OSError(28, "No space left on device")

    data = Source(b"a\n1\n2\n")
    made = replace(
        MANIFEST, data_digest=data.sha256, recipient_key=sealing.recipient_key_id(RECIPIENT)
    )
    with pytest.raises(OSError, match="No space left"):
        sealing.seal(
            Full(),
            manifest={**sealing.core_manifest(made), "ledger": {}},
            datapackage=sealing.datapackage(made),
            data=data,
            recipient=RECIPIENT,
            signer=Key(),
        )


def test_what_is_not_recorded_is_not_sealed():
    data = Source(b"a\n1\n")
    made = replace(
        MANIFEST, data_digest=data.sha256, recipient_key=sealing.recipient_key_id(RECIPIENT)
    )
    with pytest.raises(IntegrityError, match="package/not-recorded"):
        sealing.seal(
            io.BytesIO(),
            manifest=sealing.core_manifest(made),
            datapackage=sealing.datapackage(made),
            data=data,
            recipient=RECIPIENT,
            signer=Key(),
        )


def test_a_recipient_that_is_no_age_key_refuses():
    with pytest.raises(UsageError, match="package/recipient-key"):
        sealed(Source(b"a\n1\n"), "age1nothing")


def test_the_size_of_a_package_does_not_tell_small_differences():
    def size(rows):
        return inner_sizes((3000, 200, 20 * rows, 500))[0]

    assert size(1000) == size(1001) == size(1010)


def test_both_rooms_mean_the_same_kind_of_checkpoint():
    from gateway import ledger

    assert ledger.CHECKPOINT_TYP == sealing.CHECKPOINT_TYP
