"""Documents to agreements; a request to a Plan or a Refusal.

Source: UK GDPR Art 5(1)(b); docs/reference/policy.md.
"""

from gateway.policy.contracts import load_contract
from gateway.policy.findings import Finding, PolicyInvalid
from gateway.policy.vocabulary import Vocabulary, load_vocabulary

__all__ = ["Finding", "PolicyInvalid", "Vocabulary", "load_contract", "load_vocabulary"]
