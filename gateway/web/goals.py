"""Where somebody goes after signing in: only to a page of ours.

Source: CWE-601 (open redirect); OWASP ASVS 5.0, V3.7.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from flask import request

HOME = "/"
NAME = "next"
_LONGEST = 500
# One slash, then no second one: "//host" and "/\host" lead elsewhere.
_OWN = re.compile(r"/(?:[A-Za-z0-9_~.-][A-Za-z0-9_~./?=&%-]*)?")


def own(goal: str) -> str:
    """The goal if it is a path of ours, the start page if not."""
    return goal if len(goal) <= _LONGEST and _OWN.fullmatch(goal) else HOME


def wanted() -> str:
    """The page that this request wants to come to."""
    return own(request.values.get(NAME, HOME))


def sign_in_address(goal: str) -> str:
    """The sign-in page, and where it leads."""
    goal = own(goal)
    return "/sign-in" if goal == HOME else f"/sign-in?{NAME}={quote(goal, safe='')}"
