"""Who may do what: one table, action by role, deny by default.

An action that is not in the table is allowed to nobody. `APART` says which acts
on one object may never be done by the same person, whatever roles they hold.

Source: security points 1, 3, 4; UK GDPR Art 5(2), Art 32(4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gateway.errors import RefusedError
from gateway.model.words import PartyRole


class Action(StrEnum):
    """Each act that the gateway lets an operator do by name."""

    KEY_NEW = "key-new"
    KEY_OFFER = "key-offer"
    KEY_ACCEPT = "key-accept"
    KEY_CONFIRM = "key-confirm"
    KEY_GRANT = "key-grant"
    KEY_ROTATE = "key-rotate"
    KEY_DESTROY = "key-destroy"
    OPERATOR_ADD = "operator-add"
    OPERATOR_CONFIRM = "operator-confirm"
    RECIPIENT_ADD = "recipient-add"
    RECIPIENT_CONFIRM = "recipient-confirm"
    POLICY_PROPOSE = "policy-propose"
    POLICY_APPROVE = "policy-approve"
    POLICY_WITHDRAW = "policy-withdraw"
    RELEASE = "release"
    OBJECTION_RECORD = "objection-record"
    OBJECTION_LOOSEN = "objection-loosen"
    SUBJECT_ANSWER = "subject-answer"
    LEDGER_CHECKPOINT = "ledger-checkpoint"
    LEDGER_LOSS_ACCEPT = "ledger-loss-accept"
    RELEASE_RECORD_READ = "release-record-read"
    EXTRACT_UPLOAD = "extract-upload"
    RECEIPT_READ = "receipt-read"
    EXTRACT_READ = "extract-read"
    FINDINGS_READ = "findings-read"
    JOB_READ = "job-read"
    AGREEMENT_READ = "agreement-read"
    RELEASE_READ = "release-read"
    RELEASE_ACCEPT = "release-accept"
    PACKAGE_CARRY = "package-carry"
    PACKAGE_DELIVER = "package-deliver"
    DELIVERY_ACKNOWLEDGE = "delivery-acknowledge"
    INBOX_READ = "inbox-read"
    DESTRUCTION_CERTIFY = "destruction-certify"
    ACCOUNT_ADD = "account-add"
    ACCOUNT_CONFIRM = "account-confirm"
    AUDIT_READ = "audit-read"
    OPERATION_READ = "operation-read"
    NOTICE_READ = "notice-read"
    REVIEW_ADVISE = "review-advise"
    EMERGENCY_ASK = "emergency-ask"
    EMERGENCY_CONFIRM = "emergency-confirm"
    EMERGENCY_READ = "emergency-read"
    EMERGENCY_REASON = "emergency-reason"
    OWN_ACCOUNT = "own-account"


class Owing(StrEnum):
    """Whether somebody owes the reason of an emergency disclosure, and for how long."""

    NOTHING = "nothing"
    REASON = "reason"
    OVERDUE = "overdue"


_CUSTODIAN = frozenset({PartyRole.CUSTODIAN})
_DISCLOSING = frozenset({PartyRole.PRACTITIONER, PartyRole.RELEASE_OFFICER})
# Who oversees what others do, and does none of it (UK GDPR Art 39(1)(b)).
_OVERSEEING = frozenset({PartyRole.AUDITOR, PartyRole.DATA_PROTECTION_OFFICER})
_COUNCIL = frozenset(PartyRole) - {PartyRole.UPLOADER, PartyRole.RECIPIENT}
_DATA_TEAM = frozenset(
    {
        PartyRole.ANALYST,
        PartyRole.RELEASE_OFFICER,
        PartyRole.RIGHTS_OFFICER,
        PartyRole.AUDITOR,
        PartyRole.ADMINISTRATOR,
    }
)

PERMISSIONS: Mapping[Action, frozenset[PartyRole]] = MappingProxyType(
    {
        Action.KEY_NEW: _CUSTODIAN,
        Action.KEY_OFFER: _CUSTODIAN,
        Action.KEY_ACCEPT: _CUSTODIAN,
        Action.KEY_CONFIRM: frozenset({PartyRole.CUSTODIAN, PartyRole.ADMINISTRATOR}),
        Action.KEY_GRANT: _CUSTODIAN,
        Action.KEY_ROTATE: _CUSTODIAN,
        Action.KEY_DESTROY: _CUSTODIAN,
        Action.OPERATOR_ADD: frozenset({PartyRole.ADMINISTRATOR}),
        Action.OPERATOR_CONFIRM: frozenset(
            {PartyRole.ADMINISTRATOR, PartyRole.AUDITOR, PartyRole.CUSTODIAN}
        ),
        Action.RECIPIENT_ADD: frozenset(
            {PartyRole.ADMINISTRATOR, PartyRole.CUSTODIAN, PartyRole.EDITOR}
        ),
        Action.RECIPIENT_CONFIRM: frozenset(
            {
                PartyRole.ADMINISTRATOR,
                PartyRole.CUSTODIAN,
                PartyRole.APPROVER,
                PartyRole.RELEASE_OFFICER,
            }
        ),
        Action.POLICY_PROPOSE: frozenset({PartyRole.EDITOR}),
        Action.POLICY_APPROVE: frozenset({PartyRole.APPROVER}),
        Action.POLICY_WITHDRAW: frozenset({PartyRole.EDITOR, PartyRole.APPROVER}),
        Action.RELEASE: frozenset({PartyRole.RELEASE_OFFICER}),
        Action.OBJECTION_RECORD: frozenset(
            {PartyRole.RIGHTS_OFFICER, PartyRole.PRACTITIONER, PartyRole.RELEASE_OFFICER}
        ),
        Action.OBJECTION_LOOSEN: frozenset({PartyRole.RIGHTS_OFFICER}),
        Action.SUBJECT_ANSWER: frozenset({PartyRole.RIGHTS_OFFICER}),
        Action.LEDGER_CHECKPOINT: frozenset({PartyRole.AUDITOR, PartyRole.ADMINISTRATOR}),
        # That entries are lost for good, or that nothing was there to check them by.
        Action.LEDGER_LOSS_ACCEPT: frozenset({PartyRole.AUDITOR}),
        Action.RELEASE_RECORD_READ: _OVERSEEING | {PartyRole.RIGHTS_OFFICER},
        Action.EXTRACT_UPLOAD: frozenset({PartyRole.UPLOADER}),
        # Receipts and findings of the caller's own party; `extract-read` shows every party's.
        Action.RECEIPT_READ: frozenset({PartyRole.UPLOADER}),
        Action.EXTRACT_READ: _DATA_TEAM,
        # Both of the above at one address: a partner its own, the data team every party's.
        Action.FINDINGS_READ: _DATA_TEAM | {PartyRole.UPLOADER},
        # A partner the checks of its own uploads, the data team and governance every job.
        Action.JOB_READ: _DATA_TEAM | {PartyRole.UPLOADER, PartyRole.EDITOR, PartyRole.APPROVER},
        Action.AGREEMENT_READ: _COUNCIL,
        Action.RELEASE_READ: _DATA_TEAM | _OVERSEEING | {PartyRole.EDITOR, PartyRole.APPROVER},
        # Accepting that a release is unusual; never by the officer who ran it, and by an
        # approver of its agreement's controllers only.
        Action.RELEASE_ACCEPT: frozenset({PartyRole.RELEASE_OFFICER, PartyRole.APPROVER}),
        # Fetching a sealed package to carry it to a recipient's own portal.
        Action.PACKAGE_CARRY: frozenset({PartyRole.RELEASE_OFFICER}),
        # Another gateway hands a package to our inbox.
        Action.PACKAGE_DELIVER: frozenset({PartyRole.UPLOADER, PartyRole.RECIPIENT}),
        # A recipient's program: receipts and certificates of destruction for its packages.
        Action.DELIVERY_ACKNOWLEDGE: frozenset({PartyRole.RECIPIENT}),
        # What other gateways brought to ours: for those who open, certify, and look after it.
        Action.INBOX_READ: frozenset(
            {
                PartyRole.ANALYST,
                PartyRole.CUSTODIAN,
                PartyRole.AUDITOR,
                PartyRole.ADMINISTRATOR,
            }
        ),
        # Signing that every copy of a package that we received is destroyed.
        Action.DESTRUCTION_CERTIFY: frozenset({PartyRole.ANALYST, PartyRole.CUSTODIAN}),
        Action.ACCOUNT_ADD: frozenset({PartyRole.ADMINISTRATOR}),
        Action.ACCOUNT_CONFIRM: frozenset(
            {PartyRole.ADMINISTRATOR, PartyRole.AUDITOR, PartyRole.CUSTODIAN}
        ),
        Action.AUDIT_READ: _OVERSEEING,
        Action.OPERATION_READ: frozenset({PartyRole.ADMINISTRATOR}),
        Action.NOTICE_READ: _OVERSEEING | {PartyRole.ADMINISTRATOR},
        # With each review its impact assessment is looked at again (UK GDPR Art 35(11)).
        Action.REVIEW_ADVISE: frozenset({PartyRole.DATA_PROTECTION_OFFICER}),
        # One person asks, another confirms; whoever oversees it does neither.
        Action.EMERGENCY_ASK: _DISCLOSING,
        Action.EMERGENCY_CONFIRM: _DISCLOSING,
        Action.EMERGENCY_READ: _OVERSEEING | {PartyRole.RIGHTS_OFFICER},
        # One's own; what is another's is shown by the two acts above.
        Action.EMERGENCY_REASON: _COUNCIL,
        Action.OWN_ACCOUNT: frozenset(PartyRole),
    }
)

# What lets data out: not for whoever owes the reason of an emergency disclosure.
BARRED_AT_ONCE: frozenset[Action] = frozenset(
    {
        Action.EMERGENCY_ASK,
        Action.EMERGENCY_CONFIRM,
        Action.RELEASE,
        Action.RELEASE_ACCEPT,
        Action.PACKAGE_CARRY,
    }
)
# What is left to them once it is overdue.
LEFT_WHEN_OVERDUE: frozenset[Action] = frozenset({Action.EMERGENCY_REASON, Action.OWN_ACCOUNT})

# Pairs of acts on one object that need two different people (security point 3).
APART: frozenset[frozenset[Action]] = frozenset(
    {
        frozenset({Action.POLICY_PROPOSE, Action.POLICY_APPROVE}),
        frozenset({Action.POLICY_PROPOSE, Action.RELEASE}),
        frozenset({Action.POLICY_APPROVE, Action.RELEASE}),
        frozenset({Action.KEY_GRANT, Action.POLICY_PROPOSE}),
        frozenset({Action.KEY_GRANT, Action.POLICY_APPROVE}),
        frozenset({Action.KEY_GRANT, Action.RELEASE}),
        frozenset({Action.KEY_ACCEPT, Action.KEY_CONFIRM}),
        frozenset({Action.OPERATOR_ADD, Action.OPERATOR_CONFIRM}),
        frozenset({Action.ACCOUNT_ADD, Action.ACCOUNT_CONFIRM}),
        frozenset({Action.EMERGENCY_ASK, Action.EMERGENCY_CONFIRM}),
        frozenset({Action.EMERGENCY_ASK, Action.EMERGENCY_READ}),
        frozenset({Action.EMERGENCY_CONFIRM, Action.EMERGENCY_READ}),
    }
)


def permits(action: Action, roles: Collection[PartyRole]) -> frozenset[PartyRole]:
    """Which of these roles permit the act; an empty set is a no.

    Args:
        action: the act asked for.
        roles: the roles that the operator holds now.
    """
    return PERMISSIONS.get(action, frozenset()) & frozenset(roles)


def barred(action: Action, owes: Owing) -> bool:
    """Whether an act is closed to somebody until they have filed the reason that they owe."""
    if owes is Owing.OVERDUE:
        return action not in LEFT_WHEN_OVERDUE
    return owes is Owing.REASON and action in BARRED_AT_ONCE


def reason_owed(action: Action) -> RefusedError:
    """The no to somebody who owes the reason of an emergency disclosure."""
    return RefusedError(
        "emergency/reason-owed",
        "You took part in an emergency disclosure, and its reason is not filed.",
        remedy="File it: on the page Emergency disclosure, or by `gateway emergency reason`.",
        action=action.value,
    )


def not_your_controller(name: str, agreement: str, controllers: Collection[str]) -> RefusedError:
    """The no to an approver whose role is for other controllers than the agreement's."""
    return RefusedError(
        "policy/not-your-controller",
        f"{name} is no approver of a controller of {agreement}.",
        remedy=f"Its controllers: {', '.join(controllers)}.",
    )


def apart(first: Action, second: Action) -> bool:
    """Whether these two acts on one object need two different people."""
    return frozenset({first, second}) in APART


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A verified person with a personal key and roles, some for one controller only.

    `roles` holds (role, controller); the controller is "" where the role is not
    bound to one. `keys` are (key id, public half), oldest first. `owes` says whether
    they have the reason of an emergency disclosure to file.
    """

    name: str
    roles: frozenset[tuple[PartyRole, str]]
    keys: tuple[tuple[str, str], ...]
    owes: Owing = Owing.NOTHING

    def role_words(self) -> frozenset[PartyRole]:
        """The roles without their controllers."""
        return frozenset(role for role, _ in self.roles)

    def speaks_for(self, role: PartyRole, controller: str) -> bool:
        """Whether the operator holds a role for this very controller."""
        return (role, controller) in self.roles

    def roles_over(self, controllers: Collection[str]) -> frozenset[PartyRole]:
        """The roles that count for what is theirs: an approver's for its own controller only."""
        return frozenset(
            role
            for role, controller in self.roles
            if role is not PartyRole.APPROVER or controller in controllers
        )


def authorise(operator: Operator, action: Action) -> None:
    """Refuse an act that no role of the operator permits.

    Raises:
        RefusedError: `operators/not-permitted` names the roles that would do;
            `emergency/reason-owed`.
    """
    if barred(action, operator.owes):
        raise reason_owed(action)
    if permits(action, operator.role_words()):
        return
    wanted = ", ".join(sorted(PERMISSIONS.get(action, frozenset()))) or "nobody"
    raise RefusedError(
        "operators/not-permitted",
        f'{operator.name} may not do "{action}".',
        remedy=f"Roles that may: {wanted}.",
        action=action.value,
    )
