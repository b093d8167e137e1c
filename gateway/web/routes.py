"""Every blueprint of the application, in one list.

Source: docs/reference/routes.md.
"""

from __future__ import annotations

from flask import Blueprint

from gateway.web.api import deliveries as api_deliveries
from gateway.web.api import documentation, health, oauth
from gateway.web.api import extracts as api_extracts
from gateway.web.api import inbox as api_inbox
from gateway.web.api import jobs as api_jobs
from gateway.web.api import releases as api_releases
from gateway.web.api import uploads as api_uploads
from gateway.web.pages import (
    account,
    deliveries,
    draft_agreements,
    draft_cases,
    draft_documents,
    draft_texts,
    drafts,
    elsewhere,
    emergency,
    exports,
    extracts,
    home,
    inbox,
    jobs,
    new_release,
    oversight,
    own_account,
    policies,
    proofs,
    releases,
    sending,
    uploading,
    versions,
)


def blueprints() -> tuple[Blueprint, ...]:
    """The API, then the pages."""
    return (
        health.api,
        oauth.api,
        api_uploads.api,
        api_extracts.api,
        api_jobs.api,
        api_releases.api,
        api_deliveries.api,
        api_inbox.api,
        documentation.api,
        home.pages,
        account.pages,
        elsewhere.pages,
        own_account.pages,
        sending.pages,
        uploading.pages,
        extracts.pages,
        new_release.pages,
        releases.pages,
        proofs.pages,
        deliveries.pages,
        inbox.pages,
        jobs.pages,
        policies.pages,
        versions.pages,
        exports.pages,
        drafts.pages,
        draft_agreements.pages,
        draft_cases.pages,
        draft_documents.pages,
        draft_texts.pages,
        oversight.pages,
        emergency.pages,
    )
