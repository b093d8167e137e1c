"""The service's doors: an API for machines and pages for people, each route guarded by name.

Views are thin: they parse, call one workflow or read one store, and present. The
web process holds no key that opens what it stores.

Source: docs/explanation/service.md; security points 1-4.
"""

from gateway.web.application import create_app

__all__ = ["create_app"]
