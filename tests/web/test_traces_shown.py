"""What may leave, by column and clause: only what an agreement in force lets leave, in words."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable

import pytest

from tests.web.office import Browser
from tests.web.test_workshop import TRAFFORD, said

Clients = Callable[[str], Browser]


def told(page: str) -> str:
    return said(page[page.index("</form>") : page.index("<table")])


def cells(page: str) -> list[list[str]]:
    """The rows of the table, cell by cell."""
    body = page[page.index("<tbody") : page.index("</tbody>")]
    rows = re.findall(r"<tr.*?</tr>", body, re.S)
    return [[said(each).strip() for each in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_what_may_leave_is_said_of_agreements_in_force_alone(client_as: Clients) -> None:
    auditor = client_as("auditor")
    rows = list(csv.DictReader(io.StringIO(auditor.get("/traces?as=csv").text)))
    now = [row for row in rows if row["in_force"] == "true"]
    others = sorted({row["agreement"] for row in rows} - {row["agreement"] for row in now})
    assert {row["agreement"] for row in now} == {TRAFFORD}
    assert others
    page = auditor.get(f"/traces?agreement={TRAFFORD}").text
    assert f"{len(now)} things may leave." in told(page)
    assert "Nothing may leave" not in told(page)
    assert "Not in force" not in said(page)
    of_other = [row for row in rows if row["agreement"] == others[0]]
    page = auditor.get(f"/traces?agreement={others[0]}").text
    assert "Nothing may leave under it now." in told(page)
    thing = "1 thing" if len(of_other) == 1 else f"{len(of_other)} things"
    assert f"{thing} would if it was approved and in force." in told(page)
    assert "things may leave" not in told(page)
    assert all(row[-1].endswith("Not in force") for row in cells(page))
    page = auditor.get("/traces").text
    assert f"{len(now)} things may leave." in told(page)
    assert "Nothing may leave under agreements that are not in force now." in told(page)


def test_one_thing_is_one_thing(client_as: Clients) -> None:
    auditor = client_as("auditor")
    rows = csv.DictReader(io.StringIO(auditor.get(f"/traces?agreement={TRAFFORD}&as=csv").text))
    count = Counter(row["column"] for row in rows)
    single = next(name for name in sorted(count) if count[name] == 1)
    page = auditor.get(f"/traces?agreement={TRAFFORD}&column={single}").text
    assert len(cells(page)) == 1
    assert "1 thing may leave." in told(page)
    assert "0 things may leave." in told(auditor.get("/traces?clause=99.99").text)


@pytest.mark.parametrize("code", ["keep", "age-band-10", "ons-research", "national-impact-study"])
def test_the_page_speaks_in_words_and_titles(client_as: Clients, code: str) -> None:
    page = client_as("auditor").get(f"/traces?agreement={TRAFFORD}").text
    assert not [row for row in cells(page) for cell in row if cell.casefold() == code]
    shown = {cell for row in cells(page) for cell in row}
    assert {"as it is", "as a ten-year age band", "as a keyed token"} <= shown
    assert "National Impact Study" in shown
    assert "Stronger Families information sharing agreement</option>" in page
