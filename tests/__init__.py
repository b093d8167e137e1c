"""Tests of the gateway; see `docs/explanation/architecture.md` for what each folder proves."""
