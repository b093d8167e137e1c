"""One short file for each job; `ports.py` and its kin say what a job needs of the world.

Source: docs/explanation/architecture.md.
"""
