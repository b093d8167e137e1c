"""The processes behind `gateway serve`: web, worker, and the supervisor that keeps them alive.

Source: docs/explanation/service.md, "Processes"; security points 7, 22, 23.
"""
