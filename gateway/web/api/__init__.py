"""The API under `/api/v1`.

Source: docs/explanation/service.md, "Routes"; RFC 9457.
"""
