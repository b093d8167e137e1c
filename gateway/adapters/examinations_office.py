"""Examinations of the office around the store: policies, people, work, duties, the machine.

Source: security points 4, 11; docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from gateway.adapters import deliveries, duties, jobs, notice_records, operators, policy_reading
from gateway.adapters.delivery_words import because
from gateway.adapters.duties import DutyState
from gateway.adapters.examination import Found, Health, Patient, well
from gateway.adapters.notice_records import NoticeState
from gateway.adapters.notice_try import FAULTS
from gateway.model.counting import counted
from gateway.model.permissions import Action, permits

REVIEW_AHEAD = dt.timedelta(days=90)
MOST_DUTIES = 10_000
STALE_JOB = dt.timedelta(hours=1)


def policies(patient: Patient) -> Iterator[Found]:
    """Every document loads; what is in force, and what is due for review."""
    with patient.database.read() as connection:
        read = policy_reading.decision_inputs(connection)
    for finding in read.findings[:10]:
        yield Found(
            subject="policies",
            health=Health.LOOK,
            sentence=f"{finding.document}: {finding.sentence} [{finding.code}]",
            remedy=finding.remedy or "`gateway policy check` says more.",
        )
    if not read.bundle.agreements:
        yield Found(
            subject="policies",
            health=Health.ILL,
            sentence="No agreement loads.",
            remedy="`gateway policy check` names what stops them.",
        )
    today = patient.at.date()
    for agreement in read.bundle.agreements.values():
        if today <= agreement.review <= today + REVIEW_AHEAD:
            yield Found(
                subject="policies",
                health=Health.LOOK,
                sentence=f"{agreement.id} is due for review on {agreement.review}.",
                remedy="A governance lead begins it now.",
            )
    told = counted(len(read.bundle.agreements), "agreement loads", "agreements load")
    yield well("policies", f"{told}.")


def people(patient: Patient) -> Iterator[Found]:
    """There are people for every act, and two for those that need two."""
    with patient.database.read() as connection:
        every = operators.listed(connection)
    for action in (Action.OPERATOR_ADD, Action.POLICY_APPROVE, Action.RELEASE, Action.KEY_GRANT):
        able = [person for person in every if permits(action, person.role_words())]
        if len(able) < (2 if action is Action.OPERATOR_ADD else 1):
            yield Found(
                subject="people",
                health=Health.LOOK,
                sentence=f'{counted(len(able), "person", "people")} may do "{action}".',
                remedy="An administrator adds another: `gateway operators add`.",
            )
    yield well("people", f"{counted(len(every), 'operator')}.")


def work(patient: Patient) -> Iterator[Found]:
    """Nothing waits for a passphrase, nothing has failed, nothing waits too long."""
    with patient.database.read() as connection:
        counts = jobs.tally(connection)
        oldest = jobs.oldest_waiting(connection)
    held = sum(count for (_, state), count in counts.items() if state == jobs.JobState.HELD)
    failed = sum(count for (_, state), count in counts.items() if state == jobs.JobState.FAILED)
    if held:
        yield Found(
            subject="work",
            health=Health.LOOK,
            sentence=f"{counted(held, 'job waits', 'jobs wait')} until a worker has the keys.",
            remedy="Give the worker its passphrase file (GATEWAY_PASSPHRASE_FILE).",
        )
    if failed:
        yield Found(
            subject="work",
            health=Health.LOOK,
            sentence=f"{counted(failed, 'job')} could not be done.",
            remedy='The page "Work in hand" says why for each.',
        )
    if oldest is not None and patient.at - oldest > STALE_JOB:
        yield Found(
            subject="work",
            health=Health.LOOK,
            sentence="A job has waited for more than an hour.",
            remedy="See whether a worker runs (`gateway serve` or `gateway worker`).",
        )
    yield well("work", f"{counted(sum(counts.values()), 'job is', 'jobs are')} known.")


def keys_given(patient: Patient) -> Iterator[Found]:
    """No job waits for the passphrase: said by the jobs, for the web never sees its file."""
    with patient.database.read() as connection:
        held = jobs.held_for(connection, "job/no-keys", at=patient.at)
    if held:
        yield Found(
            subject="passphrase",
            health=Health.ILL,
            sentence=f"{counted(held, 'job')} cannot begin: no worker has the passphrase.",
            remedy="Give the worker its passphrase file (GATEWAY_PASSPHRASE_FILE).",
        )
        return
    yield well("passphrase", "No job waits for it.")


def notices(patient: Patient) -> Iterator[Found]:
    """Everybody who is concerned was told."""
    with patient.database.read() as connection:
        counts = notice_records.tally(connection)
        why = notice_records.why_failed(connection)
    failed = counts.get(NoticeState.FAILED, 0)
    if failed:
        told = counted(failed, "notice")
        yield Found(
            subject="notices",
            health=Health.LOOK,
            sentence=f"{told} could not be sent. {FAULTS.get(why, '')}".strip(),
            remedy="Mend what is named, then `gateway notices retry` tries them once more.",
        )
    sent = counted(counts.get(NoticeState.SENT, 0), "notice was", "notices were")
    yield well("notices", f"{sent} sent.")


def packages_on_their_way(patient: Patient) -> Iterator[Found]:
    """Every package that was sent has arrived, or is about to."""
    with patient.database.read() as connection:
        stuck = deliveries.stuck(connection)
    for (state, code), count in stuck.items():
        sentence, remedy = because(code)
        if state == deliveries.DeliveryState.NOT_DELIVERED:
            told = counted(count, "package was given up", "packages were given up")
        else:
            told = counted(count, "package waits", "packages wait")
        yield Found(
            subject="deliveries",
            health=Health.LOOK,
            sentence=f"{told} ({code}). {sentence}",
            remedy=f"{remedy} `gateway deliveries list` names them.",
        )
    held_up = counted(sum(stuck.values()), "package is", "packages are")
    yield well("deliveries", f"{held_up} held up.")


def recipients_duties(patient: Patient) -> Iterator[Found]:
    """No certificate of destruction is overdue, and what will be due is known."""
    today = patient.at.date()
    with patient.database.read() as connection:
        still = duties.listed(connection, still_open=True, limit=MOST_DUTIES)
    states = [duty.state(today) for duty in still]
    late, soon = states.count(DutyState.OVERDUE), states.count(DutyState.DUE)
    if late:
        first = still[states.index(DutyState.OVERDUE)]
        many = counted(late, "certificate of destruction is", "certificates of destruction are")
        yield Found(
            subject="duties",
            health=Health.LOOK,
            sentence=f"{many} overdue, since {first.destroy_by}.",
            remedy="`gateway duties list --overdue` names them; ask each recipient for its own.",
        )
    packages = counted(len(still), "package is", "packages are")
    due = f"{soon} {'is' if soon == 1 else 'are'} due in 30 days"
    yield well("duties", f"{packages} with recipients; {due}.")


def machine(_patient: Patient) -> Iterator[Found]:
    """What this machine can do for speed and for safety."""
    from gateway import keyed_hash

    path = keyed_hash.path()
    if path == "hashlib":
        yield Found(
            subject="kernel",
            health=Health.LOOK,
            sentence="Tokens are made by hashlib, because the compiled kernel is not there.",
            remedy="Install a C compiler and install the gateway again; the tokens are the same.",
        )
    if not _may_confine():
        yield Found(
            subject="checker",
            health=Health.LOOK,
            sentence="The process that opens partners' files cannot be cut off from the network.",
            remedy="Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1).",
        )
    yield well("machine", f"Tokens are made on the {path} path.")


def _may_confine() -> bool:
    """Whether the kernel lets a child have a network of its own."""
    asked = (
        "from gateway.adapters.confinement import confine; "
        "raise SystemExit(not confine(memory=1 << 30, cpu_seconds=5, largest_file=1 << 20))"
    )
    root = str(Path(__file__).parents[2])
    told = subprocess.run(
        [sys.executable, "-c", asked], cwd=root, capture_output=True, check=False, timeout=60
    )
    return told.returncode == 0
