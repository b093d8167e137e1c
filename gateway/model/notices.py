"""What people are told by e-mail or webhook, and who is concerned: one table.

A notice says which agreement or release it is about, what waits, and where; never a
person's value, a count or a reason that somebody wrote. An occasion that is not in the
table is told to nobody.

Source: security points 1, 3; docs/how-to/tell-people.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from gateway.model.permissions import Action, Operator, permits
from gateway.model.words import PartyRole


class Kind(StrEnum):
    """Each kind of occasion."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    IN_FORCE = "in-force"
    BEGUN = "begun"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"
    HELD = "held"
    ROLE_ASKED = "role-asked"
    ACCESS_ASKED = "access-asked"
    NOT_DELIVERED = "not-delivered"
    DUTY = "duty"
    REVIEW = "review"
    END = "end"
    JOB_FAILED = "job-failed"
    UPLOAD_FAILED = "upload-failed"
    NO_KEYS = "no-keys"
    EMERGENCY_ASKED = "emergency-asked"
    EMERGENCY = "emergency"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is said of one kind, and whoever may do one of `acts` is concerned.

    `subject`, `sentence` and `path` name facts of the occasion in braces.
    """

    acts: frozenset[Action]
    subject: str
    sentence: str
    path: str
    asker: bool = False


def _acts(*acts: Action) -> frozenset[Action]:
    return frozenset(acts)


_AGREEMENT = "/agreements/{agreement}"
_POLICY = _acts(Action.POLICY_PROPOSE, Action.POLICY_APPROVE)

NOTICES: Mapping[Kind, Notice] = MappingProxyType(
    {
        Kind.PROPOSED: Notice(
            acts=_acts(Action.POLICY_APPROVE),
            subject="{title}: version {version} waits for your approval",
            sentence='{by} has proposed version {version} of the agreement "{title}". It waits '
            "for an approver of: {waiting}. The page says in sentences what it changes.",
            path="/agreements/{agreement}/proposal",
        ),
        Kind.APPROVED: Notice(
            acts=_POLICY,
            subject="{title}: {by} has approved version {version}",
            sentence='{by} has approved version {version} of the agreement "{title}". It still '
            "waits for an approver of: {waiting}.",
            path="/agreements/{agreement}/proposal",
        ),
        Kind.IN_FORCE: Notice(
            acts=_POLICY | {Action.RELEASE},
            subject="{title}: version {version} is approved",
            sentence='Every controller has approved version {version} of the agreement "{title}". '
            "It is in force from its first day.",
            path=_AGREEMENT,
        ),
        Kind.BEGUN: Notice(
            acts=_POLICY,
            subject="{title}: version {version} has begun",
            sentence='The first day of version {version} of the agreement "{title}" has come, and '
            "it has taken its place. Releases follow it from now on.",
            path=_AGREEMENT,
        ),
        Kind.WITHDRAWN: Notice(
            acts=_POLICY | {Action.RELEASE},
            subject="{title}: withdrawn",
            sentence='{by} has withdrawn the agreement "{title}". Nothing leaves under it any '
            "more, from now on.",
            path=_AGREEMENT,
        ),
        Kind.CHANGED: Notice(
            acts=_POLICY | {Action.RELEASE},
            subject="{title}: nothing leaves until it is approved again",
            sentence='Something that the agreement "{title}" reads has changed since it was '
            "approved: a document that it shares with others, or a recipient's key. Nothing "
            "leaves under it until an editor proposes it again and its controllers approve it.",
            path=_AGREEMENT,
        ),
        Kind.HELD: Notice(
            acts=_acts(Action.RELEASE_ACCEPT),
            subject="{title}: a release is held for a second person",
            sentence='A release under the agreement "{title}" is held until a person other than '
            "{by} has looked at it. The page says why.",
            path="/releases/{release}",
        ),
        Kind.ROLE_ASKED: Notice(
            acts=_acts(Action.OPERATOR_CONFIRM),
            subject="A role waits for a second person",
            sentence='{by} has asked for the role "{role}" for {operator}. It counts for nothing '
            "until a second person confirms it.",
            path="/waiting",
        ),
        Kind.ACCESS_ASKED: Notice(
            acts=_acts(Action.ACCOUNT_CONFIRM),
            subject="A way in waits for a second person",
            sentence="{by} has asked for a way in for the {what} {name}. It lets nobody in until "
            "a second person confirms it.",
            path="/waiting",
        ),
        Kind.NOT_DELIVERED: Notice(
            acts=_acts(Action.PACKAGE_CARRY),
            subject="A package was not delivered",
            sentence="A package could not be brought to its recipient. The page of its release "
            "says what stands in its way.",
            path="/releases/{release}",
        ),
        Kind.DUTY: Notice(
            acts=_acts(Action.PACKAGE_CARRY),
            subject="A certificate of destruction is {step}",
            sentence="A recipient is to destroy a package by {date} and to certify that: it is "
            "{step}. The page of its release says what to ask them for.",
            path="/releases/{release}#duties",
        ),
        Kind.REVIEW: Notice(
            acts=_POLICY | {Action.REVIEW_ADVISE},
            subject="{title}: review {step}",
            sentence='The agreement "{title}" is to be reviewed by {date}, and its impact '
            "assessment with it. {effect}",
            path=_AGREEMENT,
        ),
        Kind.END: Notice(
            acts=_POLICY | {Action.RELEASE},
            subject="{title}: end {step}",
            sentence='The last day of the agreement "{title}" is {date}. {effect}',
            path=_AGREEMENT,
        ),
        Kind.JOB_FAILED: Notice(
            acts=_acts(Action.OPERATION_READ),
            subject="A job has failed: {what}",
            sentence='The job "{what}" was given up ({code}). Its page says what to do.',
            path="/jobs/{job}",
            asker=True,
        ),
        Kind.UPLOAD_FAILED: Notice(
            acts=frozenset(),
            subject="A file that you sent could not be checked",
            sentence="A file that you sent could not be checked ({code}), through no fault of its "
            "own. Send it again.",
            path="/sent",
            asker=True,
        ),
        Kind.NO_KEYS: Notice(
            acts=_acts(Action.OPERATION_READ, Action.KEY_NEW),
            subject="Jobs wait for the key ring's passphrase",
            sentence="Jobs are held because the workers have no passphrase of the key ring. "
            "They go on by themselves once its file is there.",
            path="/waiting",
        ),
        Kind.EMERGENCY_ASKED: Notice(
            acts=_acts(Action.EMERGENCY_CONFIRM),
            subject="An emergency disclosure waits for a second person",
            sentence="{by} asks for an emergency disclosure. It lapses within the hour, unless "
            "somebody else confirms it.",
            path="/emergency/{emergency}",
        ),
        Kind.EMERGENCY: Notice(
            acts=_acts(Action.EMERGENCY_READ),
            subject="An emergency disclosure was made",
            sentence="{by} and {second} have disclosed one person to {recipient}. Both owe their "
            "reason within 24 hours.",
            path="/emergency/{emergency}",
        ),
        Kind.TRIAL: Notice(
            acts=frozenset(),
            subject="A trial of the notices",
            sentence="{by} tries whether notices arrive. Nothing waits for you because of it.",
            path="/waiting",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something that happened or is due; `by` is who did it, `controllers` whom it binds."""

    id: str
    kind: Kind
    by: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    controllers: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """One line that says what it is about."""
        return NOTICES[self.kind].subject.format(by=self.by, **self.facts)

    @property
    def sentence(self) -> str:
        """What happened and what waits."""
        return NOTICES[self.kind].sentence.format(by=self.by, **self.facts)

    @property
    def path(self) -> str:
        """The page on which it is settled."""
        return NOTICES[self.kind].path.format(by=self.by, **self.facts)


def concerned(occasion: Occasion, people: Iterable[Operator]) -> tuple[str, ...]:
    """The people who are told: by what they may do, never who did it themselves.

    An approver is told of agreements of their own controllers only.

    Args:
        occasion: what happened.
        people: every operator, with the roles they hold now.
    """
    rule = NOTICES[occasion.kind]
    left_out = {"" if rule.asker else occasion.by, occasion.facts.get("operator", "")}
    told = {
        person.name
        for person in people
        if any(permits(act, _roles_here(person, occasion.controllers)) for act in rule.acts)
    }
    return tuple(sorted(told - left_out))


def _roles_here(person: Operator, controllers: tuple[str, ...]) -> frozenset[PartyRole]:
    return person.roles_over(controllers) if controllers else person.role_words()
