"""The real world behind the workflows' Protocols: database, files, keys, child processes.

Source: docs/explanation/architecture.md.
"""
