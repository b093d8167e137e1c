"""The API under `/api/v1`.

Source: docs/reference/api.md; RFC 9457.
"""
