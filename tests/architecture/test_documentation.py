"""What the documentation says is there, is there; what is there, the documentation says."""

from __future__ import annotations

import re
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from gateway import errors
from gateway.cli import COMMANDS, main
from gateway.model import words
from tests.architecture import house

README = house.REPOSITORY / "README.md"
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
CITED = re.compile(r'(?<![\w/.])(docs/[\w./-]*\w)((?:(?:,| and|, and) "[^"]+")*)')


def pages() -> list[Path]:
    """Every page that people read."""
    return [path for path in house.tracked() if path.suffix == ".md"]


def test_the_generated_reference_is_what_the_code_says_today() -> None:
    run = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=house.REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""


def test_every_error_code_can_be_looked_up() -> None:
    sys.path.insert(0, str(house.REPOSITORY / "docs"))
    try:
        import generate
    finally:
        sys.path.pop(0)
    page = (house.REPOSITORY / "docs/reference/errors.md").read_text(encoding="utf-8")
    raised = generate.codes()
    assert len(raised) > 10
    assert [coded.code for coded in raised if f"`{coded.code}`" not in page] == []
    assert generate.unnamed_codes() == [], "a code is written out, so that it can be found"
    assert generate.errors_without_remedy() == [], "every error says what to do"


def test_every_error_code_says_something() -> None:
    page = (house.REPOSITORY / "docs/reference/errors.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 500
    assert [row for row in rows if " " not in row.split(" | ")[2].strip()] == []
    for code in ("policy/hidden-character", "policy/too-deep", "policy/look-alike-key"):
        (row,) = [row for row in rows if row.startswith(f"| `{code}` ")]
        assert all(cell.strip(" |") for cell in row.split(" | ")[2:]), row


@pytest.mark.parametrize("page", ["README.md", "docs/reference/errors.md"])
def test_the_exit_codes_are_those_of_the_code(page: str) -> None:
    text = (house.REPOSITORY / page).read_text(encoding="utf-8")
    table = text.partition("## Exit codes")[2].partition("\n#")[0]
    listed = {int(code) for code in re.findall(r"^\| (\d) \|", table, re.MULTILINE)}
    classes = [errors.GatewayError, *errors.GatewayError.__subclasses__()]
    assert listed == {0} | {kind.exit_code for kind in classes}


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = []
    for page in pages():
        text = FENCED.sub("", page.read_text(encoding="utf-8"))
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = unquote(target).partition("#")
            file = (page.parent / name).resolve() if name else page
            found = file.exists()
            if found and anchor and file.suffix == ".md":
                found = anchor in _anchors(file)
            if not found:
                broken.append(f"{house.named(page)} -> {target}")
    assert broken == []


def test_every_page_of_docs_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [house.REPOSITORY / "docs/index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", target):
                continue
            linked = (page.parent / unquote(target).partition("#")[0]).resolve()
            if linked.suffix == ".md":
                waiting.append(linked)
    docs = [page for page in pages() if page.is_relative_to(house.REPOSITORY / "docs")]
    assert [house.named(page) for page in docs if page not in reached] == []


def test_every_command_that_a_page_shows_exists_with_its_options() -> None:
    wrong = []
    for page in pages():
        if page.name == "commands.md":
            continue
        for block in FENCED.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                found = re.search(r"(?:^|\| |&& |\$ |bin/)gateway ((?:--data \S+ )?[a-z].*)", line)
                if found and (fault := _fault(found.group(1))):
                    wrong.append(f"{house.named(page)}: gateway {found.group(1)[:60]}: {fault}")
    assert wrong == []


def test_every_file_that_a_page_names_exists() -> None:
    """A path in backticks that begins with one of our folders is a promise to the reader."""
    named = re.compile(r"`((?:gateway|tests|docs|policies|requirements|\.ci)/[\w./-]*)`")
    gone = [
        f"{house.named(page)} -> {path}"
        for page in pages()
        for path in named.findall(page.read_text(encoding="utf-8"))
        if not (house.REPOSITORY / path).exists()
    ]
    assert gone == []


def test_every_page_and_heading_that_the_code_cites_is_there() -> None:
    """Headings are quoted after their page, whole or as they begin; a decision may be a number."""
    wrong = []
    for file in house.tracked():
        if file.suffix not in {".py", ".html", ".toml"}:
            continue
        # A citation may be wrapped, in a docstring or in a comment.
        text = re.sub(r"\s*\n[\s#]*", " ", file.read_text(encoding="utf-8"))
        for cited, quoted in CITED.findall(text):
            page = house.REPOSITORY / cited
            if re.fullmatch(r"docs/adr/\d{4}", cited):
                page = next(page.parent.glob(f"{page.name}-*.md"), page)
            headings = _headings(page) if page.suffix == ".md" and page.exists() else []
            if not page.exists():
                wrong.append(f"{house.named(file)} -> {cited}")
            wrong += [
                f'{house.named(file)} -> {cited}, "{heading}"'
                for heading in re.findall(r'"([^"]+)"', quoted)
                if not any(each.startswith(heading.replace("`", "")) for each in headings)
            ]
    assert wrong == []


def test_every_word_of_the_field_is_explained() -> None:
    glossary = (house.REPOSITORY / "docs/reference/glossary.md").read_text(encoding="utf-8")
    kinds = (kind for kind in vars(words).values() if isinstance(kind, type))
    known = {word.value for kind in kinds if kind is not StrEnum for word in kind}
    assert len(known) > 50
    assert {word for word in known if f"`{word}`" not in glossary} == set()


def test_the_readme_shows_the_raw_command_of_every_target() -> None:
    makefile = (house.REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][a-z-]*):[^#\n]*## .+$", makefile, re.MULTILINE)
    readme = README.read_text(encoding="utf-8")
    assert len(targets) >= 9
    rows = {name: f"| `make {name}` |" in readme for name in targets if name != "help"}
    assert [name for name, shown in rows.items() if not shown] == []


def _headings(page: Path) -> list[str]:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    return [re.sub(r"[`*\[\]]", "", heading) for heading in HEADING.findall(text)]


def _anchors(page: Path) -> set[str]:
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).strip() for heading in _headings(page))
    return {heading.replace(" ", "-") for heading in plain}


def _fault(line: str) -> str:
    """What is wrong with a command line in a page; nothing if it could be typed."""
    words = re.sub(r"^--data \S+ ", "", line.partition(" #")[0]).split()
    command: click.Command | None = main
    context = click.Context(main)
    options = {"--help", "--data"}
    for word in words:
        if word in {"|", ">", "<", "&&", ";", "2>", "||"} or word.startswith(("<", ">")):
            break
        if isinstance(command, click.Group) and not word.startswith("-"):
            command = command.get_command(context, word)
            if command is None:
                return f"no command {word}"
            options |= {name for parameter in command.params for name in parameter.opts}
            options |= {name for parameter in command.params for name in parameter.secondary_opts}
        elif word.startswith("--") and word.partition("=")[0] not in options:
            return f"no option {word}"
    return ""


def test_the_commands_of_the_list_are_the_commands_of_the_readme() -> None:
    readme = README.read_text(encoding="utf-8")
    shown = set(re.findall(r"`gateway ([a-z-]+)", readme)) | set(
        re.findall(r"^gateway (?:--data \S+ )?([a-z-]+)", readme, re.MULTILINE)
    )
    assert shown <= set(COMMANDS), shown - set(COMMANDS)
