"""Pages for people, in the GOV.UK Design System: they read what is known and ask for jobs.

Source: docs/explanation/service.md; WCAG 2.2 AA.
"""
