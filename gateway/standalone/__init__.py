"""Files that others run without the gateway: nothing here imports it.

Source: docs/reference/ledger.md; docs/reference/contracts.md.
"""
