"""Accounts, sessions, codes, clients and counts of tries: the same promises on both databases.

Source: security points 4, 9; OWASP ASVS 5.0, V6 and V7.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.adapters import (
    access_desk,
    accounts,
    asked_access,
    clients,
    keyring_ledger,
    operators,
    schema,
    second_factors,
    sessions,
    sign_in_limits,
    sign_ins_elsewhere,
)
from gateway.adapters.accounts import Binding
from gateway.adapters.asked_access import OF_ACCOUNTS, OF_CLIENTS, Asked, Way
from gateway.adapters.database import Database
from gateway.adapters.keyring_signing import public_of, raw_public
from gateway.adapters.passwords import Passwords
from gateway.adapters.sessions import Stage
from gateway.adapters.settings import read_settings
from gateway.adapters.sign_in import SignIn
from gateway.adapters.sign_ins_elsewhere import UnderWay
from gateway.adapters.web_keys import open_web_keys
from gateway.errors import IntegrityError, RefusedError, Unavailable, UsageError
from gateway.model.words import PartyRole

NOW = dt.datetime(2026, 3, 5, 14, 7, tzinfo=dt.UTC)
KEY = bytes(range(32))
SECRET = bytes(range(20))
PARTNER = Binding(party="greater-manchester-police", roles=frozenset({PartyRole.UPLOADER}))
AT_ONCE = 8


@pytest.fixture
def store(database: Database) -> Database:
    """A database at this version with one partner's account."""
    schema.migrate(database)
    with database.begin() as connection:
        accounts.add(connection, "police-desk", PARTNER, by="ada", at=NOW)
    return database


def at_once(act: Callable[[int], object]) -> list[object]:
    """What several callers get who do the same thing together."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(act, range(AT_ONCE)))


def test_of_many_who_bring_one_assertion_one_is_taken(store: Database) -> None:
    def spend(_: int) -> bool:
        with store.begin() as connection:
            return clients.spend(connection, "police-nightly", "one", until=NOW)

    assert sorted(map(bool, at_once(spend))) == [False] * (AT_ONCE - 1) + [True]


def test_of_many_who_bring_one_code_one_is_taken(store: Database) -> None:
    with store.begin() as connection:
        second_factors.enrol(connection, "police-desk", SECRET, key=KEY)
    code = second_factors.code_at(SECRET, NOW)

    def take(_: int) -> bool:
        with store.begin() as connection:
            return second_factors.take_code(connection, "police-desk", code, key=KEY, at=NOW)

    assert sorted(map(bool, at_once(take))) == [False] * (AT_ONCE - 1) + [True]


def test_of_many_who_bring_one_recovery_code_one_is_taken(store: Database) -> None:
    with store.begin() as connection:
        code = second_factors.new_recovery_codes(connection, "police-desk")[0]

    def take(_: int) -> bool:
        with store.begin() as connection:
            return second_factors.take_recovery_code(connection, "police-desk", code)

    assert sorted(map(bool, at_once(take))) == [False] * (AT_ONCE - 1) + [True]


def test_tries_that_come_together_all_count(store: Database) -> None:
    def count(_: int) -> int:
        with store.begin() as connection:
            return sign_in_limits.count(connection, "a" * 64, at=NOW)

    assert sorted(map(int, map(str, at_once(count)))) == list(range(1, AT_ONCE + 1))


def test_guesses_that_come_together_do_not_pass_the_limit(store: Database, tmp_path: Path) -> None:
    """The count is taken before the password is looked at, not after."""
    passwords = Passwords(memory_kib=64, passes=1)
    keys = open_web_keys(read_settings(tmp_path / "data", environ={}), at=NOW)
    steps = SignIn(database=store, keys=keys, passwords=passwords)
    with store.begin() as connection:
        encoded = passwords.hashed("correct-horse-battery")
        accounts.set_password(connection, "police-desk", encoded, first_until=None)

    def guess(number: int) -> bool:
        word = "correct-horse-battery" if number >= sign_in_limits.PER_ACCOUNT else "wrong"
        step = steps.password("police-desk", word, address="198.51.100.7", at=NOW)
        return step is not None

    for number in range(sign_in_limits.PER_ACCOUNT):
        assert not guess(number)
    assert at_once(lambda _: guess(99)) == [False] * AT_ONCE
    later = NOW + sign_in_limits.WINDOW
    words = ("police-desk", "correct-horse-battery")
    assert steps.password(*words, address="198.51.100.7", at=later) is not None


@pytest.mark.parametrize("step", [-2, 2])
def test_a_code_of_another_time_is_not_taken(store: Database, step: int) -> None:
    with store.begin() as connection:
        second_factors.enrol(connection, "police-desk", SECRET, key=KEY)
        code = second_factors.code_at(SECRET, NOW + dt.timedelta(seconds=30 * step))
        assert not second_factors.take_code(connection, "police-desk", code, key=KEY, at=NOW)


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, cut to six digits."""
    secret = b"12345678901234567890"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
        assert second_factors.code_at(secret, at) == code
        assert second_factors.step_of(secret, code, at=at) == seconds // 30


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "\u0661" * 6, "1" * 5000])
def test_what_is_no_code_is_no_code(typed: str) -> None:
    assert second_factors.step_of(SECRET, typed, at=NOW) is None


def test_a_sealed_secret_opens_for_its_account_and_key_only() -> None:
    sealed = second_factors.sealed(SECRET, login="police-desk", key=KEY)
    assert SECRET not in sealed
    assert second_factors.opened(sealed, login="police-desk", key=KEY) == SECRET
    for login, key, content in (
        ("another-desk", KEY, sealed),
        ("police-desk", bytes(32), sealed),
        ("police-desk", KEY, sealed[:-1] + bytes([sealed[-1] ^ 1])),
        ("police-desk", KEY, b""),
    ):
        with pytest.raises(IntegrityError, match="accounts/factor-sealed"):
            second_factors.opened(content, login=login, key=key)


def test_no_recovery_code_is_kept_as_it_is(store: Database) -> None:
    with store.begin() as connection:
        codes = second_factors.new_recovery_codes(connection, "police-desk")
        kept = repr(connection.execute(second_factors.RECOVERY.select()).all())
    assert len(set(codes)) == second_factors.RECOVERY_CODES
    assert not any(code in kept for code in codes)


def test_a_session_is_there_until_it_rests_or_ends(store: Database) -> None:
    with store.begin() as connection:
        session_id = sessions.begin(connection, "police-desk", Stage.WHOLE, at=NOW)
        found = sessions.find(connection, session_id, at=NOW + sessions.RESTS / 2)
        assert found is not None
        assert found.login == "police-desk"
        assert sessions.find(connection, session_id, at=NOW + sessions.RESTS) is None
        assert sessions.find(connection, session_id + "x", at=NOW) is None
        last = NOW + sessions.ENDS - dt.timedelta(seconds=1)
        sessions.touch(connection, found, at=last)
        assert sessions.find(connection, session_id, at=last) is not None
        assert sessions.find(connection, session_id, at=NOW + sessions.ENDS) is None


def test_a_half_session_is_short(store: Database) -> None:
    with store.begin() as connection:
        session_id = sessions.begin(connection, "police-desk", Stage.CODE, at=NOW)
        assert sessions.find(connection, session_id, at=NOW + sessions.HALF_ENDS) is None


def test_a_clock_that_goes_back_opens_nothing_that_has_ended(store: Database) -> None:
    """What ended is deleted when the next session begins; an earlier clock finds nothing."""
    with store.begin() as connection:
        old = sessions.begin(connection, "police-desk", Stage.CODE, at=NOW)
        later = NOW + sessions.HALF_ENDS + dt.timedelta(seconds=1)
        sessions.begin(connection, "police-desk", Stage.WHOLE, at=later)
        assert sessions.find(connection, old, at=NOW) is None


def test_sessions_of_an_account_end_together_but_for_one(store: Database) -> None:
    with store.begin() as connection:
        ids = [sessions.begin(connection, "police-desk", Stage.WHOLE, at=NOW) for _ in range(3)]
        kept = sessions.find(connection, ids[1], at=NOW)
        assert kept is not None
        assert len(sessions.of_account(connection, "police-desk", at=NOW)) == 3
        assert sessions.end_all(connection, "police-desk", but=kept.number) == 2
        still = [sessions.find(connection, each, at=NOW) is not None for each in ids]
        assert still == [False, True, False]


def test_a_closed_account_keeps_no_secret_and_its_login(store: Database) -> None:
    with store.begin() as connection:
        accounts.set_password(connection, "police-desk", "x", first_until=None)
        accounts.bind_subject(connection, "police-desk", issuer="https://id.example", subject="7")
        accounts.disable(connection, "police-desk", at=NOW)
        closed = accounts.known(connection, "police-desk")
        assert (closed.disabled, closed.password, closed.has_factor) == (True, None, False)
        assert accounts.by_subject(connection, issuer="https://id.example", subject="7") is None
        with pytest.raises(UsageError, match="accounts/exists"):
            accounts.add(connection, "police-desk", PARTNER, by="ada", at=NOW)


def test_a_key_belongs_to_one_client_for_ever(store: Database) -> None:
    public = raw_public(public_of(KEY))
    with store.begin() as connection:
        for client, key in (("one", public), ("two", raw_public(public_of(bytes(32))))):
            roles = frozenset({PartyRole.UPLOADER})
            clients.add(connection, client, party="x", roles=roles, public=key, by="ada", at=NOW)
        clients.revoke(connection, "one", at=NOW)
        with pytest.raises(UsageError, match="clients/key-known"):
            clients.add_key(connection, "two", public=public, at=NOW)
        assert clients.known(connection, "one").keys == ()


def administrators(store: Database, *names: str) -> None:
    """People who are administrators, by the tables and by the ledger."""
    role = PartyRole.ADMINISTRATOR
    with store.begin() as connection:
        for name in names:
            operators.add(connection, name, roles=[(role, "")], by="bootstrap", at=NOW)
            facts = {"operator": name, "role": role.value}
            keyring_ledger.record(connection, "role-granted", facts, at=NOW)


def asked_for(way: Way, name: str, owner: str, *, by: str = "ada") -> Asked:
    return Asked(way=way, name=name, owner=owner, asked_by=by)


def test_a_way_in_waits_only_once_there_have_been_two_administrators(store: Database) -> None:
    asked = asked_for(Way.ACCOUNT, "police-desk", "police-desk")
    administrators(store, "ada")
    with store.begin() as connection:
        access_desk.ask(connection, asked, {}, at=NOW)
        assert accounts.known(connection, "police-desk").admitted
    administrators(store, "bea")
    with store.begin() as connection:
        access_desk.ask(connection, asked, {}, at=NOW)
        access_desk.ask(connection, asked, {}, at=NOW)
        assert not accounts.known(connection, "police-desk").admitted
        waiting = asked_access.waiting(connection, OF_ACCOUNTS, owner="police-desk")
        assert waiting == (asked,), "who asks again asks once"
        facts: dict[str, dict[str, str]] = {"police-desk": {}}
        with pytest.raises(RefusedError, match="accounts/same-person"):
            access_desk.confirm(connection, waiting, facts, acting="ada", at=NOW)
        access_desk.confirm(connection, waiting, facts, acting="bea", at=NOW)
        assert accounts.known(connection, "police-desk").admitted
        with pytest.raises(UsageError, match="accounts/nothing-asked"):
            access_desk.confirm(connection, (), {}, acting="bea", at=NOW)


def test_a_subject_and_a_key_that_wait_let_nobody_in_and_the_others_stay(store: Database) -> None:
    issuer, public = "https://id.example", raw_public(public_of(KEY))
    mark = asked_access.subject_mark(issuer, "7")
    roles = frozenset({PartyRole.UPLOADER})
    with store.begin() as connection:
        for subject in ("6", "7"):
            accounts.bind_subject(connection, "police-desk", issuer=issuer, subject=subject)
        clients.add(connection, "one", party="x", roles=roles, public=public, by="ada", at=NOW)
        other = clients.add_key(connection, "one", public=raw_public(public_of(bytes(32))), at=NOW)
        kid = next(key for key, raw in clients.known(connection, "one").keys if raw == public)
        asked_access.ask(connection, asked_for(Way.SUBJECT, mark, "police-desk"))
        asked_access.ask(connection, asked_for(Way.KEY, kid, "one"))
        assert accounts.by_subject(connection, issuer=issuer, subject="7") is None
        assert accounts.by_subject(connection, issuer=issuer, subject="6") is not None
        with pytest.raises(UsageError, match="accounts/subject-taken"):
            accounts.bind_subject(connection, "police-desk", issuer=issuer, subject="7")
        assert clients.of_key(connection, kid) is None
        assert clients.of_key(connection, other) is not None
        assert clients.known(connection, "one").waiting == ((kid, "ada"),)
        clients.revoke(connection, "one", kid=other, at=NOW)
        assert not clients.known(connection, "one").admitted
        asked_access.forget(connection, OF_CLIENTS, owner="one")
        assert clients.of_key(connection, kid) is not None


def test_what_ended_waits_no_more_and_another_of_the_same_name_goes_on(store: Database) -> None:
    """A login and a client may have one name: what waits for the one is not the other's."""
    roles = frozenset({PartyRole.UPLOADER})
    with store.begin() as connection:
        public = raw_public(public_of(KEY))
        client = "police-desk"
        clients.add(connection, client, party="x", roles=roles, public=public, by="ada", at=NOW)
        kid = clients.known(connection, client).keys[0][0]
        asked_access.ask(connection, asked_for(Way.ACCOUNT, "police-desk", "police-desk"))
        asked_access.ask(connection, asked_for(Way.KEY, kid, client))
        accounts.disable(connection, "police-desk", at=NOW)
        assert asked_access.waiting(connection, OF_ACCOUNTS) == ()
        assert clients.of_key(connection, kid) is None
        clients.revoke(connection, client, at=NOW)
        assert asked_access.waiting(connection, OF_CLIENTS) == ()


def test_a_sign_in_elsewhere_is_taken_once_and_in_time(store: Database) -> None:
    asked = UnderWay(state="s", nonce="n", verifier="v", goal="/account")
    with store.begin() as connection:
        sign_ins_elsewhere.keep(connection, "cookie", asked, at=NOW)
        assert sign_ins_elsewhere.take(connection, "another", at=NOW) is None
        assert sign_ins_elsewhere.take(connection, "cookie", at=NOW) == asked
        assert sign_ins_elsewhere.take(connection, "cookie", at=NOW) is None
        sign_ins_elsewhere.keep(connection, "cookie", asked, at=NOW)
        late = NOW + sign_ins_elsewhere.LIFE
        assert sign_ins_elsewhere.take(connection, "cookie", at=late) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.7", "198.51.100.200", True),
        ("198.51.100.7", "198.51.101.7", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.9", True),
        ("not an address", "", True),
    ],
)
def test_addresses_of_one_network_count_together(one: str, other: str, same: bool) -> None:
    marks = {sign_in_limits.network_mark(KEY, address) for address in (one, other)}
    assert (len(marks) == 1) is same


def test_the_web_keys_are_made_once_by_many_who_start_together(tmp_path: Path) -> None:
    settings = read_settings(tmp_path / "data", environ={})
    opened = at_once(lambda _: open_web_keys(settings, at=NOW))
    assert len({keys.root for keys in opened if hasattr(keys, "root")}) == 1
    names = sorted(path.name.partition("-")[0] for path in (tmp_path / "data/web").iterdir())
    assert names == ["root.key", "token"]


def test_subkeys_of_different_uses_differ(tmp_path: Path) -> None:
    keys = open_web_keys(read_settings(tmp_path / "data", environ={}), at=NOW)
    uses = ("csrf", "second-factor", "sign-in-tries", "token-tries")
    assert len({keys.subkey(use) for use in uses} | {keys.root}) == 5


def test_a_web_key_that_others_could_read_or_that_was_cut_stops_the_start(tmp_path: Path) -> None:
    settings = read_settings(tmp_path / "data", environ={})
    root = open_web_keys(settings, at=NOW).folder / "root.key"
    root.chmod(0o440)
    with pytest.raises(Unavailable, match="keys/unsafe-mode"):
        open_web_keys(settings, at=NOW)
    root.chmod(0o600)
    root.write_bytes(b"short")
    root.chmod(0o400)
    with pytest.raises(IntegrityError, match="clients/not-a-key"):
        open_web_keys(settings, at=NOW)
