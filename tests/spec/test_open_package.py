"""What `gateway open` promises: one wrong byte anywhere, and it writes nothing and exits 6."""

import base64
import datetime as dt
import hashlib
import io
import json
import os
import random
import stat
import tarfile
from dataclasses import dataclass, replace

import pyrage
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway import sealing
from gateway.adapters import ledger_check, ledger_store, packages, recipient_keys
from gateway.adapters.database import Database
from gateway.cli.open_package import open_package as open_command
from gateway.cli.open_package import recipient_key
from gateway.errors import GatewayError, IntegrityError, Unavailable, UsageError

AT = dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)
DATA = b'link_id,district,note\naa,Prescot,\nbb,Huyton,"two\nlines"\n'


@dataclass(frozen=True)
class Key:
    key_id: str
    private: Ed25519PrivateKey

    def sign(self, message):
        return self.private.sign(message)

    @property
    def public(self):
        return self.private.public_key().public_bytes_raw()


@dataclass(frozen=True)
class Bytes:
    content: bytes

    @property
    def size(self):
        return len(self.content)

    @property
    def sha256(self):
        return hashlib.sha256(self.content).hexdigest()

    def open(self):
        return io.BytesIO(self.content)


def key(name, seed):
    return Key(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


SIGNING, LEDGER = key("package-signing-1", 1), key("ledger-signing-1", 2)


class Sender:
    """A sender with a real database, ledger and keys."""

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.database = Database(f"sqlite:///{folder / 'sender.db'}")
        self.database.create_all()
        self.trust = folder / "council.json"
        self.publish(SIGNING, LEDGER)

    def publish(self, signing, ledger, sender="knowsley", until=None):
        keys = [
            sealing.TrustedKey(
                use=use, key_id=k.key_id, public=k.public, not_before=AT, not_after=until
            )
            for use, k in (("signing", signing), ("ledger", ledger))
        ]
        self.trust.write_bytes(sealing.trust_descriptor(sender, keys))

    def manifest(self, package, public, content=DATA, name="data.csv", **changes):
        source = Bytes(content)
        columns = ("link_id", "district", "note")
        return replace(
            sealing.Manifest(
                package=package,
                sender="knowsley",
                release="r1",
                output="payload",
                purpose="national-impact-study",
                agreement="knowsley",
                clause="4.2",
                policy_digest="0" * 64,
                recipient="ons-research",
                recipient_key=sealing.recipient_key_id(public),
                created=AT,
                columns=tuple(
                    sealing.ManifestColumn(
                        name=c, field_class="plain", treatment="keep", clause="4.2"
                    )
                    for c in columns
                ),
                rows=2,
                withheld=sealing.withheld_band(3),
                register_read_at=AT,
                data_file=name,
                data_digest=source.sha256,
                duties=("destroy by 2031-03-31",),
                release_record="1" * 64,
            ),
            **changes,
        )

    def record(self, manifest, **facts):
        core = sealing.core_manifest(manifest)
        told = {
            "release": "r1",
            "output": "payload",
            "package": manifest.package,
            "recipient": "ons-research",
            "rows": manifest.rows,
            "core_digest": sealing.core_digest(core),
            **facts,
        }
        with self.database.begin() as connection:
            leaf = ledger_store.append(connection, "package-made", told, salt=os.urandom(32), at=AT)
            signed = ledger_store.checkpoint(connection, LEDGER, AT, origin="knowsley")
            part = ledger_store.ledger_part(
                connection, leaf, signed, recipient_key=manifest.recipient_key
            )
        return sealing.complete_manifest(core, part)

    def send(self, package, public, content=DATA, *, signer=SIGNING, edit=lambda m: m, **changes):
        manifest = self.manifest(package, public, content, **changes)
        complete = edit(self.record(manifest))
        path = self.folder / f"{package}.gwp"
        with open(path, "wb") as sink:
            sealing.seal(
                sink,
                manifest=complete,
                datapackage=sealing.datapackage(manifest),
                data=Bytes(content),
                recipient=public,
                signer=signer,
            )
        return path


@pytest.fixture
def sender(tmp_path):
    made = Sender(tmp_path / "sender")
    yield made
    made.database.close()


@pytest.fixture
def pair(tmp_path):
    return recipient_keys.new_pair(tmp_path / "mine", at=AT)


def opened(package, pair, sender, to, **more):
    recipient = recipient_keys.recipient_from_files(pair.secret_file, trust_file=sender.trust)
    return packages.open_package(package, recipient=recipient, to=to, **more)


def run(*arguments):
    return CliRunner().invoke(open_command, [str(part) for part in arguments])


def listing(folder):
    return sorted(str(path) for path in folder.rglob("*"))


def test_a_package_is_opened_and_says_what_was_verified(sender, pair, tmp_path):
    package, to = sender.send("p1", pair.public), tmp_path / "study"
    done = run(package, "--key", pair.secret_file, "--trust", sender.trust, "--to", to, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["verified"] == dict.fromkeys(
        ("form", "envelope", "manifest", "digests", "ledger"), True
    )
    told = [document[name] for name in ("package", "release", "output", "rows", "columns")]
    assert told == ["p1", "r1", "payload", 2, ["link_id", "district", "note"]]
    assert document["ledger_link"] == "first"
    assert (to / "data.csv").read_bytes() == DATA
    assert sorted(path.name for path in to.iterdir()) == [
        "data.csv",
        "datapackage.json",
        "manifest.json",
        "manifest.jws",
    ]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in to.iterdir())


def test_every_flipped_byte_refuses_and_nothing_is_written(sender, pair, tmp_path):
    package = sender.send("p1", pair.public)
    whole = package.read_bytes()
    recipient = recipient_keys.recipient_from_files(pair.secret_file, trust_file=sender.trust)
    before = listing(tmp_path)
    for place in range(len(whole)):
        with open(package, "r+b") as file:
            file.seek(place)
            file.write(bytes([whole[place] ^ 1]))
        with pytest.raises(IntegrityError):
            packages.open_package(package, recipient=recipient, to=tmp_path / "to")
        with open(package, "r+b") as file:
            file.seek(place)
            file.write(whole[place : place + 1])
    assert listing(tmp_path) == before
    packages.open_package(package, recipient=recipient, to=tmp_path / "to")


def test_every_kind_of_cut_or_extended_file_refuses(sender, pair, tmp_path):
    package = sender.send("p1", pair.public)
    whole = package.read_bytes()
    lengths = {*range(0, len(whole), 511), *range(64), *range(len(whole) - 64, len(whole))}
    before = listing(tmp_path)
    for length in lengths:
        package.write_bytes(whole[:length])
        with pytest.raises(IntegrityError):
            opened(package, pair, sender, tmp_path / "to")
    for more in (b"\0", bytes(512), b"x", bytes(10240), whole):
        package.write_bytes(whole + more)
        with pytest.raises(IntegrityError, match="package/form"):
            opened(package, pair, sender, tmp_path / "to")
    assert listing(tmp_path) == before


def test_sampled_flips_of_a_large_package_refuse(sender, pair, tmp_path):
    content = b"link_id,district,note\n" + b"aa,Prescot,x\n" * 300_000
    package = sender.send("p1", pair.public, content, rows=300_000)
    whole = package.read_bytes()
    for place in random.Random(5).sample(range(len(whole)), 20):
        package.write_bytes(whole[:place] + bytes([whole[place] ^ 0x80]) + whole[place + 1 :])
        with pytest.raises(IntegrityError):
            opened(package, pair, sender, tmp_path / "to")
    package.write_bytes(whole)
    assert opened(package, pair, sender, tmp_path / "to").contents.rows == 300_000


def members(raw):
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        return [(info.name, archive.extractfile(info).read()) for info in archive.getmembers()]


def tar(parts, **changes):
    """A tar made by the standard library, in the permitted form but for `changes`."""
    made = io.BytesIO()
    for name, content in parts:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        for what, value in changes.items():
            setattr(info, what, value)
        made.write(info.tobuf(tarfile.USTAR_FORMAT))
        made.write(content + bytes(-len(content) % 512))
    return made.getvalue() + bytes(1024)


def test_the_standard_library_makes_the_same_outer_form(sender, pair):
    whole = sender.send("p1", pair.public).read_bytes()
    assert [name for name, _ in members(whole)] == ["envelope.json", "envelope.jws", "data.age"]
    assert tar(members(whole)) == whole


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: tar(parts[::-1]),
        lambda parts: tar([parts[1], parts[0], parts[2]]),
        lambda parts: tar(parts[:2]),
        lambda parts: tar([*parts, ("more", b"")]),
        lambda parts: tar([*parts, parts[2]]),
        lambda parts: tar([("./envelope.json", parts[0][1]), *parts[1:]]),
        lambda parts: tar(parts, mtime=1),
        lambda parts: tar(parts, uid=1),
        lambda parts: tar(parts, mode=0o600),
        lambda parts: tar(parts, uname="root"),
        lambda parts: tar(parts)[:-512],
        lambda parts: tar(parts) + bytes(512),
        lambda parts: b"",
    ],
)
def test_another_outer_form_of_the_same_members_refuses(sender, pair, tmp_path, change):
    package = sender.send("p1", pair.public)
    package.write_bytes(change(members(package.read_bytes())))
    with pytest.raises(IntegrityError, match="package/form"):
        opened(package, pair, sender, tmp_path / "to")


def resealed(package, pair, sender, change):
    """A sender that signs rightly but packs the inside otherwise."""
    identity = pyrage.x25519.Identity.from_str(recipient_keys.read_key(pair.secret_file))
    parts = dict(members(package.read_bytes()))
    inner = change(members(pyrage.decrypt(parts["data.age"], [identity])))
    sealed = pyrage.encrypt(inner, [identity.to_public()])
    envelope = json.loads(parts["envelope.json"])
    envelope["digest"] = hashlib.sha256(sealed).hexdigest()
    outside = json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()
    signature = sealing.sign_detached(outside, typ=sealing.ENVELOPE_TYP, signer=SIGNING).encode()
    package.write_bytes(
        tar([("envelope.json", outside), ("envelope.jws", signature), ("data.age", sealed)])
    )


def changed(parts, name, change):
    return tar([(n, change(content) if n == name else content) for n, content in parts])


INNER = {
    "reordered members": lambda parts: tar([parts[1], parts[0], *parts[2:]]),
    "a missing member": lambda parts: tar(parts[:-1]),
    "another padding": lambda parts: changed(parts, "padding", lambda c: c + bytes(512)),
    "a filled padding": lambda parts: changed(parts, "padding", lambda c: b"x" + c[1:]),
    "other data": lambda parts: changed(parts, "data.csv", lambda c: c.replace(b"a", b"b")),
    "an edited manifest": lambda parts: changed(
        parts, "manifest.json", lambda c: c.replace(b'"rows":2', b'"rows":3')
    ),
    "an edited data package": lambda parts: changed(
        parts, "datapackage.json", lambda c: c.replace(b'"rows":2', b'"rows":3')
    ),
    "a signature of another kind": lambda parts: changed(
        parts,
        "manifest.jws",
        lambda _: sealing.sign_detached(
            dict(parts)["manifest.json"], typ=sealing.ENVELOPE_TYP, signer=SIGNING
        ).encode(),
    ),
    "nothing": lambda parts: b"",
}


@pytest.mark.parametrize("name", INNER)
def test_another_inside_refuses_though_the_envelope_is_signed(sender, pair, tmp_path, name):
    package = sender.send("p1", pair.public)
    resealed(package, pair, sender, INNER[name])
    with pytest.raises(IntegrityError):
        opened(package, pair, sender, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_resealing_unchanged_opens(sender, pair, tmp_path):
    package = sender.send("p1", pair.public)
    resealed(package, pair, sender, tar)
    assert opened(package, pair, sender, tmp_path / "to").contents.rows == 2


def test_another_key_refuses_with_6(sender, pair, tmp_path):
    other = recipient_keys.new_pair(tmp_path / "other", at=AT)
    package = sender.send("p1", pair.public)
    done = run(
        package, "--key", other.secret_file, "--trust", sender.trust, "--to", tmp_path / "to"
    )
    assert done.exit_code == 6
    assert "package/not-for-this-key" in done.stderr


def test_without_a_trust_file_it_exits_7(sender, pair, tmp_path):
    package = sender.send("p1", pair.public)
    done = run(package, "--key", pair.secret_file, "--to", tmp_path / "to", "--json")
    assert done.exit_code == 7
    assert json.loads(done.stdout)["error"]["code"] == "open/no-trust"


@pytest.mark.parametrize("mode", [0o444, 0o440, 0o604, 0o640])
def test_a_key_that_others_can_read_is_refused_with_7(sender, pair, tmp_path, mode):
    pair.secret_file.chmod(mode)
    package = sender.send("p1", pair.public)
    done = run(package, "--key", pair.secret_file, "--trust", sender.trust, "--to", tmp_path / "to")
    assert done.exit_code == 7
    assert "open/key-not-safe" in done.stderr


@pytest.mark.parametrize(
    "content", ["", "AGE-SECRET-KEY-1\n", "x\n", "AGE-SECRET-KEY-1X\nx\n", "é"]
)
def test_a_malformed_key_file_is_refused(tmp_path, content):
    path = tmp_path / "key"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o400)
    with pytest.raises(Unavailable, match="open/key-form"):
        recipient_keys.read_key(path)


def test_a_package_is_opened_once(sender, pair, tmp_path):
    package = sender.send("p1", pair.public)
    opened(package, pair, sender, tmp_path / "one")
    with pytest.raises(IntegrityError, match="open/seen-before"):
        opened(package, pair, sender, tmp_path / "two")
    assert not (tmp_path / "two").exists()


def test_files_of_another_package_are_never_overwritten(sender, pair, tmp_path):
    opened(sender.send("p1", pair.public), pair, sender, tmp_path / "one")
    second = sender.send("p2", pair.public)
    with pytest.raises(UsageError, match="open/would-overwrite"):
        opened(second, pair, sender, tmp_path / "one")
    assert opened(second, pair, sender, tmp_path / "two").link == "linked"


@pytest.mark.parametrize(
    ("signing", "ledger", "code"),
    [
        (key("package-signing-1", 9), LEDGER, "jws/signature"),
        (key("package-signing-2", 1), LEDGER, "jws/unknown-key"),
        (SIGNING, key("ledger-signing-1", 9), "jws/signature"),
        (SIGNING, key("ledger-signing-2", 2), "jws/unknown-key"),
        (LEDGER, SIGNING, "jws/unknown-key"),
    ],
)
def test_keys_that_the_trust_file_does_not_list_refuse(
    sender, pair, tmp_path, signing, ledger, code
):
    package = sender.send("p1", pair.public)
    sender.publish(signing, ledger)
    with pytest.raises(IntegrityError, match=code):
        opened(package, pair, sender, tmp_path / "to")


def test_a_package_of_another_sender_refuses(sender, pair, tmp_path):
    package = sender.send("p1", pair.public)
    sender.publish(SIGNING, LEDGER, sender="kirklees")
    with pytest.raises(IntegrityError, match="package/other-sender"):
        opened(package, pair, sender, tmp_path / "to")


def test_a_package_made_after_the_key_ended_refuses(sender, pair, tmp_path):
    sender.publish(SIGNING, LEDGER, until=AT + dt.timedelta(days=1))
    package = sender.send("p1", pair.public, created=AT + dt.timedelta(days=2))
    with pytest.raises(IntegrityError, match="package/key-validity"):
        opened(package, pair, sender, tmp_path / "to")


def edited_ledger(**changes):
    return lambda manifest: {**manifest, "ledger": {**manifest["ledger"], **changes}}


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda m: {**m, "purpose": "other"}, "ledger/not-recorded"),
        (lambda m: {**m, "release": "r2"}, "ledger/not-recorded"),
        (edited_ledger(salt="0" * 64), "ledger/not-included"),
        (edited_ledger(path=["0" * 64]), "ledger/not-included"),
        (edited_ledger(root="0" * 64), "ledger/other-checkpoint"),
        (edited_ledger(size=9), "ledger/other-checkpoint"),
        (edited_ledger(size="1"), "package/manifest-form"),
        (edited_ledger(path=[1]), "package/manifest-form"),
        (edited_ledger(entry={}), "ledger/entry-form"),
        (edited_ledger(checkpoint="a.b.c"), "jws/form"),
        (lambda m: {**m, "ledger": None}, "package/manifest-form"),
        (lambda m: {**m, "rows": 3}, "package/(rows|columns)"),
        (lambda m: {**m, "columns": m["columns"][:2]}, "package/columns"),
    ],
)
def test_a_manifest_that_the_ledger_does_not_hold_refuses(sender, pair, tmp_path, edit, code):
    package = sender.send("p1", pair.public, edit=edit)
    with pytest.raises(IntegrityError, match=code):
        opened(package, pair, sender, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_packages_may_be_opened_out_of_order(sender, pair, tmp_path):
    first, second, third = (sender.send(f"p{n}", pair.public) for n in (1, 2, 3))
    assert opened(third, pair, sender, tmp_path / "3").link == "first"
    assert opened(first, pair, sender, tmp_path / "1").link == "same"
    assert opened(second, pair, sender, tmp_path / "2").link == "same"


def test_a_sender_that_started_a_new_ledger_is_caught(sender, pair, tmp_path):
    for number in range(3):
        opened(sender.send(f"p{number}", pair.public), pair, sender, tmp_path / str(number))
    again = Sender(tmp_path / "again")
    again.trust = sender.trust
    short = again.send("q1", pair.public)
    with pytest.raises(IntegrityError, match="ledger/not-consistent"):
        opened(short, pair, sender, tmp_path / "to")
    for number in range(2, 5):
        longer = again.send(f"q{number}", pair.public)
    with pytest.raises(IntegrityError, match="ledger/not-consistent"):
        opened(longer, pair, sender, tmp_path / "to")
    assert not (tmp_path / "to").exists()
    again.database.close()


def test_an_unproved_gap_refuses_until_an_export_closes_it(sender, pair, tmp_path):
    opened(sender.send("p1", pair.public), pair, sender, tmp_path / "1")
    later = sender.send("p2", pair.public, edit=edited_ledger(consistency=[]))
    with pytest.raises(IntegrityError, match="ledger/not-linked"):
        opened(later, pair, sender, tmp_path / "2")
    export = tmp_path / "export.jsonl"
    with sender.database.begin() as connection:
        ledger_check.export(connection, export, origin="knowsley", show=lambda _: False)
    assert opened(later, pair, sender, tmp_path / "2", export=export).link == "linked"


def test_two_recipients_on_one_machine_have_two_memories(sender, pair, tmp_path):
    other = recipient_keys.new_pair(tmp_path / "other", at=AT)
    opened(sender.send("p1", pair.public), pair, sender, tmp_path / "1")
    sender.send("p2", pair.public)
    assert opened(sender.send("p3", other.public), other, sender, tmp_path / "3").link == "first"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"format":"x","senders":{}}',
        b'{"format":"gateway-opened-1","senders":{"knowsley KEY":{}}}',
    ],
)
def test_a_broken_memory_is_refused_with_7(sender, pair, tmp_path, content):
    package = sender.send("p1", pair.public)
    content = content.replace(b"KEY", sealing.recipient_key_id(pair.public).encode())
    (sender.folder / "gateway-opened.json").write_bytes(content)
    with pytest.raises(Unavailable, match="open/state"):
        opened(package, pair, sender, tmp_path / "to")


def test_a_target_that_cannot_be_written_leaves_nothing(sender, pair, tmp_path):
    package = sender.send("p1", pair.public)
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="open/not-written"):
        opened(package, pair, sender, tmp_path / "file" / "to")
    assert opened(package, pair, sender, tmp_path / "to").contents.rows == 2


def test_a_full_disk_leaves_nothing_and_the_package_can_be_opened_later(sender, pair, tmp_path):
    import resource

    content = b"link_id,district,note\n" + b"aa,Prescot,x\n" * 20_000
    package = sender.send("p1", pair.public, content, rows=20_000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(Unavailable, match="open/not-written"):
            opened(package, pair, sender, tmp_path / "to")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert not (tmp_path / "to").exists()
    assert opened(package, pair, sender, tmp_path / "to").contents.rows == 20_000


def test_a_parquet_package_is_counted_by_its_footer(sender, pair, tmp_path):
    import polars as pl

    made = io.BytesIO()
    frame = pl.DataFrame({"link_id": ["a", "b"], "district": ["x", "y"], "note": ["", ""]})
    frame.write_parquet(made, statistics=False)
    package = sender.send("p1", pair.public, made.getvalue(), name="data.parquet")
    done = opened(package, pair, sender, tmp_path / "to")
    assert pl.read_parquet(tmp_path / "to" / "data.parquet").equals(frame)
    assert (done.contents.rows, done.contents.data_file) == (2, "data.parquet")


def test_a_parquet_file_that_is_none_refuses(sender, pair, tmp_path):
    package = sender.send("p1", pair.public, b"PAR1" + bytes(40) + b"PAR1", name="data.parquet")
    with pytest.raises(IntegrityError, match="package/data-form"):
        opened(package, pair, sender, tmp_path / "to")


def test_the_secret_stands_in_no_repr(sender, pair):
    recipient = recipient_keys.recipient_from_files(pair.secret_file, trust_file=sender.trust)
    assert "SECRET" not in repr(recipient)


def test_a_new_pair_is_private_and_never_overwritten(tmp_path):
    done = CliRunner().invoke(recipient_key, ["new", "--to", str(tmp_path / "k"), "--json"])
    document = json.loads(done.stdout)
    assert done.exit_code == 0
    assert document["key_id"] == sealing.recipient_key_id(document["public"])
    assert stat.S_IMODE((tmp_path / "k" / "recipient.key").stat().st_mode) == 0o400
    assert (tmp_path / "k" / "recipient.pub").read_text().strip() == document["public"]
    again = CliRunner().invoke(recipient_key, ["new", "--to", str(tmp_path / "k")])
    assert again.exit_code == 2


def test_anyone_can_open_a_package_with_age_and_a_signature_library(sender, pair):
    """The thirty lines of docs/reference/package.md."""
    package = sender.send("p1", pair.public)
    trust = json.loads(sender.trust.read_text())
    public = {k["key_id"]: bytes.fromhex(k["public"]) for k in trust["keys"]}

    def unb64(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def verify(jws, payload, typ):
        header, _, signature = jws.decode().split(".")
        said = json.loads(unb64(header))
        assert (said["alg"], said["typ"]) == ("EdDSA", typ)
        body = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
        verifier = Ed25519PublicKey.from_public_bytes(public[said["kid"]])
        verifier.verify(unb64(signature), f"{header}.{body}".encode())

    with tarfile.open(package) as outer:
        outside = {m.name: outer.extractfile(m).read() for m in outer}
    verify(outside["envelope.jws"], outside["envelope.json"], "gateway-envelope+jws")
    envelope = json.loads(outside["envelope.json"])
    assert hashlib.sha256(outside["data.age"]).hexdigest() == envelope["digest"]
    secret = pair.secret_file.read_text().splitlines()[-1]
    inner = pyrage.decrypt(outside["data.age"], [pyrage.x25519.Identity.from_str(secret)])
    with tarfile.open(fileobj=io.BytesIO(inner)) as archive:
        inside = {m.name: archive.extractfile(m).read() for m in archive}
    verify(inside["manifest.jws"], inside["manifest.json"], "gateway-manifest+jws")
    manifest = json.loads(inside["manifest.json"])
    assert hashlib.sha256(inside["data.csv"]).hexdigest() == manifest["data_digest"]
    assert inside["data.csv"] == DATA


def test_no_error_of_opening_quotes_the_data(sender, pair, tmp_path):
    content = b"link_id,district,note\naa,Canary Street\n"
    package = sender.send("p1", pair.public, content, rows=9)
    with pytest.raises(GatewayError) as fault:
        opened(package, pair, sender, tmp_path / "to")
    assert "Canary" not in str(fault.value) + repr(fault.value.facts)
