"""`gateway policy`: documents (check, cases, compare, schema, review, preview) and their life.

Source: docs/reference/policy.md.
"""

from __future__ import annotations

import click

from gateway.cli import policy_documents, policy_life, policy_preview, policy_review


@click.group()
def policy() -> None:
    """Check, compare, preview, propose, approve and withdraw policy documents.

    Example: gateway policy check
    """


for _command in (
    *policy_documents.COMMANDS,
    policy_review.review,
    policy_preview.preview,
    policy_preview.prove_preview,
    *policy_life.COMMANDS,
):
    policy.add_command(_command)
