"""`gateway demo --serve`: every role signs in with what it prints."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.parse
import urllib.request
from pathlib import Path

from tests.journeys.office import Office
from tests.service import serving

SIGN_IN = re.compile(r"^    (\S+) {2,}.{42} (\S+)  (\S+)$")
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """A browser without a window."""

    def __init__(self, url: str) -> None:
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)
        self.page = ""

    def visit(self, path: str) -> str:
        with self._opener.open(self.url + path, timeout=60) as answer:
            self.page = answer.read().decode()
        return self.page

    def fill(self, path: str, **fields: str) -> str:
        (token, *_) = TOKEN.findall(self.page)
        form = urllib.parse.urlencode({"csrf_token": token, **fields}).encode()
        with self._opener.open(self.url + path, form, timeout=60) as answer:
            self.page = answer.read().decode()
        return self.page


def test_everybody_of_the_demo_signs_in(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    apart = Office(tmp_path / "apart")
    apart.home.mkdir(mode=0o700)
    log = tmp_path / "demo.log"
    words = ("demo", "--size", "1000", "--to", str(home), "--serve", "--port", "0")
    with serving.started(apart, *words, log=log) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.rstrip("\n"))
            if "listens on" in line:
                break
        assert said, log.read_text("utf-8")[-2000:]
        url = said[-1].rpartition(" ")[2]
        (place,) = (n for n, line in enumerate(said) if "Everybody's password" in line)
        password = said[place + 1].strip()
        people = {found[1]: found[2] for line in said if (found := SIGN_IN.match(line))}
        assert {"school-desk", "ons-desk", "rosa", "april", "aude", "ada"} <= set(people)
        for login, code in people.items():
            visitor = Visitor(url)
            visitor.visit("/sign-in")
            visitor.fill("/sign-in", login=login, password=password, next="/")
            visitor.fill("/sign-in/code", code=code, next="/")
            assert "/sign-out" in visitor.visit("/"), login
    assert (home / "data" / "founded").exists()
