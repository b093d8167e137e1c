"""Pages for people, in the GOV.UK Design System with the council's own branding.

Source: docs/explanation/service.md, "Routes"; WCAG 2.2.
"""
