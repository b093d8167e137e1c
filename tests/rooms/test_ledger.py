"""The ledger room: tree, proofs, entries, checkpoints, continuity, recording."""

import datetime as dt
import hashlib
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway import ledger
from gateway.errors import IntegrityError, UsageError
from gateway.model.stages import Sealed

AT = dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)
SALT = bytes(range(32))


# The naive oracle: RFC 9162 section 2.1 as written there, recursively.
def naive_root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = naive_split(len(leaves))
    left, right = naive_root(leaves[:k]), naive_root(leaves[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def naive_split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def naive_path(m, leaves):
    if len(leaves) <= 1:
        return []
    k = naive_split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(m, leaves, *, whole=True):
    n = len(leaves)
    if m == n:
        return [] if whole else [naive_root(leaves)]
    k = naive_split(n)
    if m <= k:
        return [*naive_consistency(m, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*naive_consistency(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def leaves_of(n, mark=b""):
    return [ledger.leaf_hash(hashlib.sha256(mark + b"%d" % i).digest()) for i in range(n)]


def nodes_of(leaves):
    kept = {}
    for i, leaf in enumerate(leaves):
        for node in ledger.grow(i, leaf, node=lambda a, b: kept[a, b]):
            kept[node.level, node.position] = node.hash
    return lambda a, b: kept[a, b]


def test_the_root_of_nothing_is_the_digest_of_nothing():
    assert ledger.CompactRange().root() == hashlib.sha256(b"").digest() == ledger.EMPTY_ROOT


def test_known_roots_of_certificate_transparency_are_met():
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    inputs.append("606162636465666768696a6b6c6d6e6f")
    grown = ledger.CompactRange()
    for text in inputs:
        grown.append(ledger.leaf_hash(bytes.fromhex(text)))
    expected = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert grown.root().hex() == expected


@given(st.integers(0, 130))
def test_root_compact_range_and_oracle_agree_at_every_size(n):
    leaves = leaves_of(n)
    node, grown = nodes_of(leaves), ledger.CompactRange()
    for leaf in leaves:
        grown.append(leaf)
    assert grown.root() == ledger.root(n, node=node) == naive_root(leaves)


def test_a_compact_range_keeps_only_logarithmically_many_hashes():
    grown = ledger.CompactRange()
    for leaf in leaves_of(1000):
        grown.append(leaf)
        assert len(grown._kept) <= 10


@given(st.data(), st.integers(1, 130))
def test_inclusion_paths_equal_the_oracle_and_verify(data, n):
    index = data.draw(st.integers(0, n - 1))
    leaves = leaves_of(n)
    path = ledger.inclusion_path(index, n, node=nodes_of(leaves))
    assert list(path) == naive_path(index, leaves)
    ledger.check_inclusion(leaves[index], path, index=index, size=n, root=naive_root(leaves))


@given(st.data(), st.integers(1, 40))
def test_any_change_to_an_inclusion_proof_is_refused(data, n):
    index = data.draw(st.integers(0, n - 1))
    leaves = leaves_of(n)
    root, path = naive_root(leaves), naive_path(index, leaves)
    for change in _changed_paths(data, path):
        with pytest.raises(IntegrityError, match="ledger/not-included"):
            ledger.check_inclusion(leaves[index], change, index=index, size=n, root=root)
    for wrong in {*range(-1, n + 1)} - {index}:
        with pytest.raises(IntegrityError, match="ledger/not-included"):
            ledger.check_inclusion(leaves[index], path, index=wrong, size=n, root=root)
    with pytest.raises(IntegrityError, match="ledger/not-included"):
        ledger.check_inclusion(leaves[index], path, index=index, size=n, root=bytes(32))


@given(st.data(), st.integers(0, 130))
def test_consistency_paths_equal_the_oracle_and_verify(data, n):
    m = data.draw(st.integers(0, n))
    leaves = leaves_of(n)
    path = ledger.consistency_path(m, n, node=nodes_of(leaves))
    if m:
        assert list(path) == naive_consistency(m, leaves)
    ledger.check_consistency(naive_root(leaves[:m]), naive_root(leaves), old=m, new=n, path=path)


@given(st.data(), st.integers(1, 40))
def test_any_change_to_a_consistency_proof_is_refused(data, n):
    m = data.draw(st.integers(1, n))
    leaves = leaves_of(n)
    old, new, path = naive_root(leaves[:m]), naive_root(leaves), naive_consistency(m, leaves)
    for change in _changed_paths(data, path):
        with pytest.raises(IntegrityError, match="ledger/not-consistent"):
            ledger.check_consistency(old, new, old=m, new=n, path=change)
    for wrong in ((bytes(32), new), (old, bytes(32)), (b"", new)):
        with pytest.raises(IntegrityError, match="ledger/not-consistent"):
            ledger.check_consistency(*wrong, old=m, new=n, path=path)


@given(st.integers(2, 60), st.data())
def test_a_forked_log_is_never_consistent(n, data):
    m = data.draw(st.integers(1, n))
    forked = leaves_of(n)
    forked[data.draw(st.integers(0, m - 1))] = bytes(32)
    path = naive_consistency(m, forked)
    with pytest.raises(IntegrityError, match="ledger/not-consistent"):
        ledger.check_consistency(
            naive_root(leaves_of(m)), naive_root(forked), old=m, new=n, path=path
        )


def _changed_paths(data, path):
    path = list(path)
    yield [*path, bytes(32)]
    yield [*path, b"short"]
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        flipped = bytes([path[place][0] ^ 1]) + path[place][1:]
        yield [*path[:place], flipped, *path[place + 1 :]]
        yield path[:-1]
        yield path[1:]


def test_consistency_with_the_empty_log_needs_the_empty_root():
    with pytest.raises(IntegrityError, match="ledger/not-consistent"):
        ledger.check_consistency(bytes(32), naive_root(leaves_of(3)), old=0, new=3, path=())


def test_an_old_size_above_the_new_one_is_refused():
    with pytest.raises(IntegrityError, match="ledger/not-consistent"):
        ledger.check_consistency(bytes(32), bytes(32), old=4, new=3, path=())


def test_an_empty_path_between_different_sizes_is_refused():
    root3, root7 = naive_root(leaves_of(3)), naive_root(leaves_of(7))
    with pytest.raises(IntegrityError, match="ledger/not-consistent"):
        ledger.check_consistency(root3, root7, old=3, new=7, path=())


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 3), (0, 0)])
def test_a_proof_of_an_entry_that_is_not_there_is_a_usage_error(index, size):
    with pytest.raises(UsageError, match="ledger/no-such-entry"):
        ledger.inclusion_path(index, size, node=nodes_of(leaves_of(3)))


@pytest.mark.parametrize(("old", "new"), [(4, 3), (-1, 3)])
def test_a_consistency_proof_from_a_size_that_never_was_is_a_usage_error(old, new):
    with pytest.raises(UsageError, match="ledger/no-such-size"):
        ledger.consistency_path(old, new, node=nodes_of(leaves_of(3)))


# --- entries ---------------------------------------------------------------


def made(event="ledger-opened", at=AT, **facts):
    return ledger.Entry(event=event, facts=facts, at=at)


def test_an_entry_is_canonical_json_and_reads_back():
    entry = made("key-used", key="k1", kind="study-root", purpose="p7", count=3)
    encoded = ledger.encode_entry(entry)
    assert encoded == (
        b'{"at":"2026-05-01T09:30:00Z","event":"key-used",'
        b'"facts":{"count":3,"key":"k1","kind":"study-root","purpose":"p7"}}'
    )
    assert ledger.decode_entry(encoded) == entry


def test_a_commitment_is_the_digest_of_salt_and_entry():
    assert ledger.commit(b"{}", salt=SALT) == hashlib.sha256(SALT + b"{}").digest()


def test_two_salts_hide_that_two_entries_are_equal():
    encoded = ledger.encode_entry(made())
    assert ledger.commit(encoded, salt=SALT) != ledger.commit(encoded, salt=bytes(32))


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
def test_a_salt_of_another_size_is_refused(salt):
    with pytest.raises(UsageError, match="ledger/salt-size"):
        ledger.commit(b"{}", salt=salt)


def test_the_entry_id_is_the_head_of_the_leaf_hash():
    commitment = ledger.commit(b"{}", salt=SALT)
    assert ledger.leaf_hash(commitment).hex().startswith(ledger.entry_id(commitment))


def test_an_unknown_event_is_refused():
    with pytest.raises(UsageError, match="ledger/unknown-event"):
        ledger.encode_entry(made("something-else"))


def test_an_unknown_fact_is_refused_by_name():
    with pytest.raises(UsageError, match="ledger/unknown-fact") as fault:
        ledger.encode_entry(made(surname="x"))
    assert fault.value.facts["fact"] == "surname"


def test_a_missing_fact_is_refused_by_name():
    with pytest.raises(UsageError, match="ledger/missing-fact") as fault:
        ledger.encode_entry(made("key-made", key="k1"))
    assert fault.value.facts["fact"] == "kind"


PERSONAL = [
    *("9991234567", "999.123.4567", "qq123456c", "qq123456", "a001234567890", "a00123456789z"),
    *("za11aa", "za1-1aa", "2001-02-03", "3.2.2001", "QQ123456C", "ZA1 1AA", "Ann Smith", ""),
    *("x" * 81, "ann@council", 7),
]


@pytest.mark.parametrize("value", PERSONAL)
def test_a_value_that_could_be_a_persons_is_refused_and_not_repeated(value):
    facts = {"subject": value, "purpose": "p7", "register_sequence": 1}
    with pytest.raises(UsageError, match="ledger/fact-form") as fault:
        ledger.encode_entry(made("register-entry-added", **facts))
    assert value in ("", 7) or str(value) not in str(fault.value)


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        *[("count", wrong) for wrong in (-1, True, "3", 2**53, 1.0)],
        *[("until", wrong) for wrong in ("20260101", "tomorrow", 5, "2026-02-30")],
        *[("policy_digest", wrong) for wrong in ("ab", "A" * 64, 1)],
        *[("kind", wrong) for wrong in ("Two Words", 1, "")],
    ],
)
def test_each_kind_of_fact_refuses_what_it_is_not(fact, value):
    event = "key-granted" if fact in ("until", "policy_digest", "kind") else "key-used"
    facts = {"key": "k1", "kind": "study-root", "purpose": "p7"}
    facts |= {"count": 1} if event == "key-used" else {}
    facts |= {"until": "2026-12-31", "policy_digest": "0" * 64} if event == "key-granted" else {}
    ledger.encode_entry(made(event, **facts))
    with pytest.raises(UsageError, match="ledger/fact-form"):
        ledger.encode_entry(made(event, **(facts | {fact: value})))


def test_several_people_are_named_each_once_in_order():
    facts = {"document": "a", "document_digest": "0" * 64}
    for right in ("ana", "ana,wes", "a-1,ana,wes"):
        ledger.encode_entry(made("policy-proposed", **facts, editors=right))
    for wrong in ("", "wes,ana", "ana,ana", "ana,", "ana, wes", "ana,za1-1aa", "ana,Wes", 7):
        with pytest.raises(UsageError, match="ledger/fact-form"):
            ledger.encode_entry(made("policy-proposed", **facts, editors=wrong))


def test_every_fact_of_every_event_has_a_kind():
    for name, event in ledger.EVENTS.items():
        assert event.required <= event.allowed
        assert event.allowed <= set(ledger.FACTS), name


def test_every_fact_in_the_table_is_used_by_some_event():
    used = set().union(*(event.allowed for event in ledger.EVENTS.values()))
    assert set(ledger.FACTS) - used <= {
        *("agreement", "batch", "epoch", "generation", "channel", "from_date", "destroy_by")
    }


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(UsageError, match="ledger/time-zone"):
        ledger.encode_entry(made(at=AT.replace(tzinfo=None)))


def test_a_time_of_another_zone_is_written_in_utc():
    summer = dt.timezone(dt.timedelta(hours=1))
    assert ledger.utc_text(dt.datetime(2026, 5, 1, 10, 30, tzinfo=summer)) == "2026-05-01T09:30:00Z"


GOOD = b'{"at":"2026-05-01T09:30:00Z","event":"ledger-opened","facts":{}}'


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"[]",
        b"\xff",
        GOOD + b" ",
        GOOD.replace(b'"facts":{}', b'"facts":{},"x":1'),
        GOOD.replace(b'"facts":{}', b'"facts":[]'),
        GOOD.replace(b"2026-05-01T", b"2026-5-01T"),
        GOOD.replace(b"2026-05-01T09:30:00Z", b"now"),
        GOOD.replace(b"ledger-opened", b"ledger-closed"),
        GOOD.replace(b'"at"', b'"at":"2026-05-01T09:30:00Z","at"'),
        GOOD.replace(b"{}", b'{"size":1e400}'),
        b'{"a":' * 100_000,
    ],
)
def test_an_entry_in_another_spelling_is_refused(encoded):
    ledger.decode_entry(GOOD)
    with pytest.raises(IntegrityError, match=r"ledger/(entry|time)-form"):
        ledger.decode_entry(encoded)


# --- checkpoints and continuity ---------------------------------------------


def checkpoint(n, leaves=None):
    root = naive_root((leaves or leaves_of(n))[:n])
    return ledger.Checkpoint(origin="knowsley", size=n, root=root, at=AT)


def test_a_checkpoint_reads_back():
    shown = checkpoint(5)
    payload = ledger.encode_checkpoint(shown)
    assert json.loads(payload)["size"] == 5
    assert ledger.decode_checkpoint(payload) == shown


@pytest.mark.parametrize(
    ("member", "value"),
    [("size", -1), ("size", True), ("size", "5"), ("root", "00"), ("root", 5), ("origin", 5)],
)
def test_a_checkpoint_of_the_wrong_types_is_refused(member, value):
    document = json.loads(ledger.encode_checkpoint(checkpoint(5))) | {member: value}
    with pytest.raises(IntegrityError, match="ledger/checkpoint-form"):
        ledger.decode_checkpoint(rfc8785.dumps(document))


def test_a_checkpoint_with_another_member_is_refused():
    document = json.loads(ledger.encode_checkpoint(checkpoint(5))) | {"more": 1}
    with pytest.raises(IntegrityError, match="ledger/checkpoint-form"):
        ledger.decode_checkpoint(rfc8785.dumps(document))


def claim(old, new, leaves=None):
    leaves = leaves or leaves_of(new)
    path = ledger.consistency_path(old, new, node=nodes_of(leaves))
    return ledger.Continuation(size=old, root=naive_root(leaves[:old]), path=path)


def test_the_first_checkpoint_is_taken_on_trust():
    tied, known = ledger.link(checkpoint(5), (), known={})
    assert tied == "first"
    assert known == {5: checkpoint(5).root}


def test_a_later_checkpoint_with_a_proof_is_linked():
    tied, known = ledger.link(checkpoint(9), [claim(5, 9)], known={5: checkpoint(5).root})
    assert tied == "linked"
    assert set(known) == {5, 9}


def test_the_same_checkpoint_again_is_the_same():
    assert ledger.link(checkpoint(5), (), known={5: checkpoint(5).root})[0] == "same"


def test_packages_opened_out_of_order_are_tied_by_the_later_ones_proof():
    _, known = ledger.link(checkpoint(9), [claim(5, 9)], known={})
    assert ledger.link(checkpoint(5), (), known=known)[0] == "same"


def test_a_later_checkpoint_without_a_proof_is_not_linked():
    with pytest.raises(IntegrityError, match="ledger/not-linked"):
        ledger.link(checkpoint(9), [claim(3, 9)], known={5: checkpoint(5).root})


def test_a_smaller_checkpoint_is_a_roll_back():
    with pytest.raises(IntegrityError, match="ledger/rolled-back"):
        ledger.link(checkpoint(4), (), known={5: checkpoint(5).root})


def test_another_root_at_the_same_size_is_a_fork():
    fork = checkpoint(5, leaves_of(5, b"other"))
    with pytest.raises(IntegrityError, match="ledger/not-consistent"):
        ledger.link(fork, (), known={5: checkpoint(5).root})


def test_a_proof_of_a_fork_is_refused():
    other = leaves_of(9, b"other")
    with pytest.raises(IntegrityError, match="ledger/not-consistent"):
        ledger.link(checkpoint(9, other), [claim(5, 9, other)], known={5: checkpoint(5).root})


def test_an_export_ties_what_no_proof_ties():
    exported = {n: checkpoint(n).root for n in range(10)}
    known = {5: checkpoint(5).root}
    assert ledger.link(checkpoint(9), (), known=known, exported=exported)[0] == "linked"
    assert ledger.link(checkpoint(4), (), known=known, exported=exported)[0] == "linked"


def test_an_export_of_another_log_is_a_fork():
    other = leaves_of(9, b"other")
    exported = {n: checkpoint(n, other).root for n in range(1, 10)}
    with pytest.raises(IntegrityError, match="ledger/not-consistent"):
        ledger.link(checkpoint(9), (), known={5: checkpoint(5).root}, exported=exported)


def test_an_export_that_ends_before_the_checkpoint_ties_nothing():
    exported = {5: checkpoint(5).root}
    with pytest.raises(IntegrityError, match="ledger/not-linked"):
        ledger.link(checkpoint(9), (), known={5: checkpoint(5).root}, exported=exported)


# --- recorded -----------------------------------------------------------------

PACKAGES = (
    Sealed(package="a1", output="o", recipient="ons", digest="0" * 64, rows=1),
    Sealed(package="b2", output="p", recipient="ons", digest="1" * 64, rows=1),
)


def recorded_proof(release="r1", event="release-recorded"):
    facts = {"release": release, "packages": 2, "packages_digest": ledger.packages_digest(PACKAGES)}
    encoded = ledger.encode_entry(made(event, **facts))
    leaves = leaves_of(5)
    leaves[2] = ledger.leaf_hash(ledger.commit(encoded, salt=SALT))
    path = ledger.inclusion_path(2, 5, node=nodes_of(leaves))
    return ledger.EntryProof(
        index=2, entry=encoded, salt=SALT, size=5, root=naive_root(leaves), path=path
    )


def test_packages_with_a_proof_are_recorded():
    assert ledger.record("r1", PACKAGES, proof=recorded_proof()).packages == PACKAGES


def test_packages_of_another_release_are_not_recorded():
    with pytest.raises(IntegrityError, match="ledger/not-recorded"):
        ledger.record("r2", PACKAGES, proof=recorded_proof())


def test_other_packages_are_not_recorded():
    with pytest.raises(IntegrityError, match="ledger/not-recorded"):
        ledger.record("r1", PACKAGES[::-1], proof=recorded_proof())


def test_a_record_whose_entry_was_changed_is_refused():
    proof = recorded_proof()
    forged = ledger.EntryProof(
        index=2,
        entry=proof.entry.replace(b'"r1"', b'"r2"'),
        salt=SALT,
        size=5,
        root=proof.root,
        path=proof.path,
    )
    with pytest.raises(IntegrityError, match="ledger/not-included"):
        ledger.record("r2", PACKAGES, proof=forged)
