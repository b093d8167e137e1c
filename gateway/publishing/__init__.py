"""What a council publishes of its agreements: registers for people, documents for machines.

Everything is made from the agreements as they stand, so that no published page can
say other than what the gateway does. Nothing here knows a person or a row.

Source: UK GDPR Arts 5(2), 30; Digital Economy Act 2017 information sharing register;
W3C ODRL 2.2; OpenLineage 2-0-2.
"""

from gateway.publishing.lineage import lineage_events
from gateway.publishing.notice import Section, notice, notice_text
from gateway.publishing.odrl import odrl_agreement
from gateway.publishing.odrl_profile import odrl_profile
from gateway.publishing.processing import record_of_processing
from gateway.publishing.register import REGISTER_FIELDS, agreement_register
from gateway.publishing.sharing_policy import sharing_policy

__all__ = [
    "REGISTER_FIELDS",
    "Section",
    "agreement_register",
    "lineage_events",
    "notice",
    "notice_text",
    "odrl_agreement",
    "odrl_profile",
    "record_of_processing",
    "sharing_policy",
]
