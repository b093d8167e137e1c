"""Write the reference pages that are made from the code: errors, commands, settings, routes.

`make docs` writes them; `python docs/generate.py --check` names those that are
stale and exits 1, which a test of `tests/architecture` does.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))
REFERENCE = REPOSITORY / "docs" / "reference"
WIDTH = 88
MADE = "<!-- Made by `make docs` from the code. Change the code, not this page. -->\n"

EXIT_CODES = (
    (0, "", "done, also with warnings (an agreement past its review date for up to 3 months)"),
    (1, "GatewayError", "an unexpected fault"),
    (2, "UsageError", "wrong usage, unknown agreement or dataset"),
    (
        3,
        "RefusedError",
        "refused by policy (also: groups too small, agreement ended or long past review)",
    ),
    (4, "InputRejected", "input rejected"),
    (5, "HeldForPerson", "held or quarantined for a person"),
    (6, "IntegrityError", "integrity or signature failure, package not for this key"),
    (7, "Unavailable", "a store, key, passphrase, ledger or disk is not available or not safe"),
)
RAISED = {name: code for code, name, _ in EXIT_CODES if name}
CODE = re.compile(r"[a-z]+/[a-z0-9]+(?:-[a-z0-9]+)*")
# Codes of these rooms may stand in tables; the rooms of raised errors are found by themselves.
ROOMS_OF_FINDINGS = {"intake", "policy", "sharing", "disclosure", "ledger", "package"}
HINT = re.compile(r"\{\w+\}")
_AGAIN = "Correct the name, or add it to its document first."
# Codes whose sentence is put together at run time, or that stand alone in a record.
UNSAID = {
    "duties/done": ("Every duty of the release is done; it is closed.", "There is nothing to do."),
    "emergency/details": ("The details are not in the form that is asked for.", ""),
    "job/no-keys": ("The job waits for the passphrase of the key ring.", "Give it to the worker."),
    "job/too-many-attempts": (
        "The job was tried again and again in vain, and is given up.",
        "The log says where it failed; mend that, then ask for it anew.",
    ),
    "ledger/checkpoint-signature": (
        "A stored checkpoint is malformed, or not signed by the ledger key.",
        "Stop sharing, keep the files as they are, and compare with a backup.",
    ),
    "policy/contract-malformed": ("The contract is not in the form of the reference.", ""),
    "policy/missing-clause": (
        'Nothing leaves without a clause, and "clause" is missing.',
        "Add the clause of the agreement that lets it leave.",
    ),
    "policy/missing-end-date": (
        'An agreement has a last day, and "ends" is missing.',
        "Add the last day, such as 2028-03-31.",
    ),
    "policy/unknown-code": ("A code is not one of the column's.", "Name one of the contract's."),
    "policy/unknown-duty": ("A duty is not in the vocabulary.", _AGAIN),
    "policy/unknown-protocol": ("The protocol above the agreement is not known.", _AGAIN),
    "policy/unknown-signatory": (
        "Who signed is neither a controller nor a party.",
        "Correct the name, or add it to the parties.",
    ),
    "policy/unknown-word": (
        "A word is not one of those that may stand there.",
        "The finding lists them.",
    ),
    "release/interrupted": (
        "The release was interrupted before anything left, and is withdrawn.",
        "Run it again.",
    ),
}


@dataclass(frozen=True, order=True)
class Coded:
    """One code as it stands in the source."""

    code: str
    exit_code: int
    sentence: str
    remedy: str
    module: str


# ---------------------------------------------------------------- errors.md


def codes() -> list[Coded]:
    """Every code in the product, with the sentence beside it where there is one."""
    standing: list[Coded] = []
    for path in sorted((REPOSITORY / "gateway").rglob("*.py")):
        module = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        standing += _codes_of(ast.parse(path.read_text(encoding="utf-8")), module)
    rooms = ROOMS_OF_FINDINGS | {_room(coded.code) for coded in standing if coded.exit_code}
    found: dict[str, Coded] = {}
    for coded in standing:
        known = found.get(coded.code)
        if _room(coded.code) not in rooms:
            continue
        if known is None or (
            coded.sentence and (not known.sentence or coded.exit_code > known.exit_code)
        ):
            kept = known.exit_code if known else 0
            found[coded.code] = replace(coded, exit_code=coded.exit_code or kept)
    return sorted(found.values())


def unnamed_codes() -> list[str]:
    """Places where an error is raised under a code put together at run time: nobody can look it up."""
    places = []
    for path in sorted((REPOSITORY / "gateway").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in RAISED:
                first = node.args[0] if node.args else None
                if isinstance(first, (ast.JoinedStr, ast.BinOp)):
                    places.append(f"{path.relative_to(REPOSITORY)}:{node.lineno}")
    return places


def errors_without_remedy() -> list[str]:
    """Places where an error is raised that does not say what to do about it."""
    return [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        for path in sorted((REPOSITORY / "gateway").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in RAISED
        and not any(keyword.arg in {"remedy", None} for keyword in node.keywords)
    ]


def _codes_of(tree: ast.Module, module: str) -> Iterator[Coded]:
    """Codes in calls first, then beside a sentence in a table, then wherever one stands alone."""
    seen: set[int] = set()
    for search in (_in_calls, _in_tables, _alone):
        for node, beside, remedy, exit_code in search(tree):
            if id(node) in seen or not (code := _code(node)):
                continue
            seen.add(id(node))
            sentence = _text(beside)
            yield Coded(
                code, exit_code, "" if CODE.fullmatch(sentence) else sentence, _text(remedy), module
            )


Said = ast.expr | None
Place = tuple[ast.AST, Said, Said, int]


def _in_calls(tree: ast.Module) -> Iterator[Place]:
    named, given = _named_texts(tree), _given_remedies(tree)
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        words = {keyword.arg: keyword.value for keyword in call.keywords}
        said = words.get("sentence") or words.get("reason")
        remedy = words.get("remedy") or given.get(_name(call.func))
        if isinstance(remedy, ast.Name):
            remedy = named.get(remedy.id)
        exit_code = RAISED.get(_name(call.func), 3 if _name(call.func) == "Reason" else 0)
        for i, argument in enumerate(call.args):
            sentences = [each for each in call.args[i + 1 :] if " " in _text(each)]
            first, second = [*sentences, None, None][:2]
            for code, branch in _branches(argument):
                yield code, branch(said or first), remedy or branch(second), exit_code
        if "code" in words:
            yield words["code"], said, remedy, exit_code


def _named_texts(tree: ast.Module) -> dict[str, ast.expr]:
    """What a name of the module, or of the errors, stands for, where it is a text."""
    return {
        target.id: node.value
        for node in (*_errors().body, *ast.walk(tree))
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and _text(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


@functools.cache
def _errors() -> ast.Module:
    return ast.parse((REPOSITORY / "gateway" / "errors.py").read_text(encoding="utf-8"))


def _given_remedies(tree: ast.Module) -> dict[str, ast.expr]:
    """The remedy that a function of the module gives to every error it makes of a code."""
    return {
        function.name: keyword.value
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and [each.arg for each in function.args.args[:2]] == ["code", "sentence"]
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and _name(call.func) in RAISED
        for keyword in call.keywords
        if keyword.arg == "remedy"
    }


def _branches(code: ast.expr) -> list[tuple[ast.expr, Callable[[Said], Said]]]:
    """A code with its own sentence; two where one of two is chosen, each with the fitting one."""
    if isinstance(code, ast.BoolOp):
        return [(code.values[-1], lambda said: said)]
    if not isinstance(code, ast.IfExp):
        return [(code, lambda said: said)]
    return [
        (code.body, lambda said: said.body if isinstance(said, ast.IfExp) else said),
        (code.orelse, lambda said: said.orelse if isinstance(said, ast.IfExp) else said),
    ]


def _in_tables(tree: ast.Module) -> Iterator[Place]:
    named = _named_texts(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Tuple, ast.List)):
            for i, element in enumerate(node.elts):
                yield element, node.elts[i + 1] if i + 1 < len(node.elts) else None, None, 0
        if isinstance(node, ast.Dict):
            words = {_text(key): value for key, value in zip(node.keys, node.values, strict=True)}
            if "code" in words:
                yield words["code"], words.get("sentence"), words.get("remedy"), 0
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None:
                    said, remedy = _sentence_and_remedy(value)
                    yield key, said, named.get(getattr(remedy, "id", ""), remedy), 0
                    yield value, key, None, 0


def _sentence_and_remedy(value: ast.expr) -> tuple[Said, Said]:
    """What a table has at a code: a sentence alone, or a sentence and what to do."""
    parts = value.args if isinstance(value, ast.Call) else getattr(value, "elts", [value])
    first, second = [*parts, None, None][:2]
    return first, second


def _alone(tree: ast.Module) -> Iterator[Place]:
    for node in ast.walk(tree):
        yield node, None, None, 0


def _code(node: ast.AST) -> str:
    """The code that a node is, or nothing."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return ""
    return node.value if CODE.fullmatch(node.value) else ""


def _room(code: str) -> str:
    return code.partition("/")[0]


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _text(node: ast.expr | None) -> str:
    """A sentence with its facts left open: what stands in braces differs from case to case."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part) if isinstance(part, ast.Constant) else "…" for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.IfExp):
        return _text(node.body) or _text(node.orelse)
    if isinstance(node, ast.BoolOp):
        return _text(node.values[-1])
    if isinstance(node, ast.Call) and _name(node.func) == "listed":
        return f"{_text(node.args[0])} are: …."
    return ""


def errors_page() -> str:
    """docs/reference/errors.md."""
    remedies = importlib.import_module("gateway.policy.remedies").REMEDIES
    lines = [
        "# Error codes and exit codes",
        "",
        MADE,
        "Every fault has a stable code, one sentence and a remedy. None carries a person's value:",
        "it names rows, columns, rules, clauses and counts. `…` stands for such a name or number.",
        "",
        "## Exit codes",
        "",
        "| Code | Means |",
        "|---|---|",
        *(f"| {code} | {meaning} |" for code, _, meaning in EXIT_CODES),
        "",
        "A finding inside a file has no exit code of its own: the file's state decides",
        "(4 rejected, 5 quarantined, 0 accepted).",
    ]
    room = ""
    for coded in codes():
        if _room(coded.code) != room:
            room = _room(coded.code)
            lines += ["", f"## {room}", "", "| Code | Exit | Says | Remedy |", "|---|---|---|---|"]
        said, remedy = remedies.get(coded.code) or UNSAID.get(coded.code, ("", ""))
        sentence = coded.sentence if len(coded.sentence.split()) > 1 else said
        cells = (f"`{coded.code}`", coded.exit_code or "", sentence, coded.remedy or remedy)
        lines.append("| " + " | ".join(_cell(HINT.sub("…", str(cell))) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


# -------------------------------------------------------------- commands.md


def commands_page() -> str:
    """docs/reference/commands.md, from the --help of every command."""
    from gateway.cli import main

    lines = [
        "# Commands",
        "",
        MADE,
        "Every command prints sentences or a table for people and, with `--json`, one JSON",
        "document on standard output; progress goes to standard error.",
        "[Exit codes](errors.md#exit-codes) are the same everywhere.",
    ]
    for path, text in _helps(main, "gateway", None):
        level = "##" if path.count(" ") <= 1 else "###"
        lines += ["", f"{level} `{path}`", "", "```text", text, "```"]
    return "\n".join(lines) + "\n"


def _helps(
    command: click.Command, path: str, parent: click.Context | None
) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command,
        info_name=path.rpartition(" ")[2],
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        **command.context_settings,
    )
    text = command.get_help(context)
    yield path, "\n".join(line.rstrip() for line in text.splitlines()).strip()
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        try:
            inner = command.get_command(context, name)
        except ImportError as fault:
            print(f"{path} {name}: not there ({fault.name})", file=sys.stderr)
            continue
        if inner is not None:
            yield from _helps(inner, f"{path} {name}", context)


# -------------------------------------------------------------- settings.md


def settings_page() -> str:
    """docs/reference/settings.md, from the one table of settings."""
    known = importlib.import_module("gateway.adapters.settings").KNOWN
    lines = [
        "# Settings",
        "",
        MADE,
        "Settings are environment variables. An unknown `GATEWAY_*` name refuses to start, by name.",
        "`--data DIR` wins over `GATEWAY_DATA`. `gateway settings` shows what is in force and why.",
        "No setting holds a secret; the one that concerns a secret names the file that holds it.",
        "",
        "| Setting | Default | Meaning |",
        "|---|---|---|",
        *(
            f"| `{name}` | {f'`{default}`' if default else ''} | {_cell(meaning)} |"
            for name, (default, meaning) in known.items()
        ),
    ]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- routes.md


def routes_page() -> str:
    """docs/reference/routes.md, from the guard that each route states."""
    table = importlib.import_module("gateway.web.route_table")
    lines = [
        "# Routes",
        "",
        MADE,
        "Each way into the service and who may use it. A route that states no guard stops the",
        "start. What a role may do stands in one table, read anew at each request; a person comes",
        "in by a session, a machine by an access token. What a person changes needs the token of",
        "a form of ours (`csrf_token`, or the header `X-CSRF-Token`).",
        "",
        "| Path | Method | Act | Comes in as | Roles |",
        "|---|---|---|---|---|",
    ]
    for route in table.stated():
        guard = route.guard
        act = f"`{guard.action}`" if guard.action else f"open: {guard.why_open}"
        realms = ", ".join(sorted(guard.realms)) or "anybody"
        roles = "every role" if route.for_every_role else ", ".join(sorted(route.roles))
        cells = (f"`{route.path}`", route.method, act, realms, roles)
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- review.md


def review_page() -> str:
    """docs/reference/review.md, from the catalogue of remarks."""
    catalogue = importlib.import_module("gateway.policy.linting_catalogue")
    lines = [
        "# What the review says",
        "",
        MADE,
        "`gateway policy review`, each draft and each preview say what a good information lawyer",
        "would say before approval. A *problem* is a reason for which a purpose is refused on that",
        "day; a *warning* will bite, or bites those who trust the agreement; *advice* would make it",
        "better. Each names its place, its clause and what to do. What is said of small groups rests",
        "on what the checks counted in the extracts in use; the [preview](policy.md#preview) counts",
        "exactly. What no purpose of any agreement needs is said by the review of all agreements and by",
        "previews, which have the time to read all. Each code is a case of `tests/policies/test_lints.py`: the shipped policies with",
        "one fault, which has to be remarked, with a remedy.",
        "",
        "## What a lawyer asks",
        "",
        "| Question | Answered by |",
        "|---|---|",
        *(
            f"| {question} | {', '.join(f'`{code}`' for code in answers)} |"
            for question, answers in catalogue.QUESTIONS
        ),
        "",
        "## Warnings and advice",
        "",
        "Every code of a refusal is a problem, with the remedy of [errors](errors.md).",
        "",
        "| Code | Weight | Said of | Case |",
        "|---|---|---|---|",
        *(
            f"| `{code}` | {weight.value} | {said} | `test_each_fault[{code}]` |"
            for code, (weight, said) in sorted(catalogue.LINTS.items())
        ),
    ]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- api.md


def api_page() -> str:
    """docs/reference/api.md, from the OpenAPI that the routes make."""
    told = importlib.import_module("gateway.web.api.documentation").without_data()
    lines = [
        "# The API",
        "",
        MADE,
        told["info"]["description"],
        "The same for programs: `/api/openapi.json` (OpenAPI 3.1). How to use it:",
        "[Send an extract by the API](../how-to/send-by-api.md).",
        "What cannot be read as a request is answered by the server itself, before any route, as a",
        "problem too: 400, 414 (its address is too long), 417, 431 (its headers are too long) or 501.",
    ]
    for path, methods in told["paths"].items():
        for method, each in methods.items():
            lines += ["", f"## {method.upper()} `{path}`", "", f"{each['summary']}."]
            lines += [each["description"]] if "description" in each else []
            lines += _api_table(each)
    lines += ["", "## Documents", ""]
    for name, schema in told["components"]["schemas"].items():
        lines += [f"### {name}", "", schema.get("description", ""), "", "| Member | Type | |"]
        lines += ["|---|---|---|", *_members(schema), ""]
    return "\n".join(lines).rstrip() + "\n"


def _api_table(operation: dict[str, Any]) -> Iterator[str]:
    parameters = operation["parameters"]
    if parameters:
        yield from ("", "| Takes | Where | Needed | |", "|---|---|---|---|")
    for each in parameters:
        needed = "yes" if each["required"] else "no"
        words = each.get("description") or each["schema"].get("description", "")
        yield f"| `{each['name']}` | {each['in']} | {needed} | {_cell(words)} |"
    if "requestBody" in operation:
        yield from ("", f"Body: {_kinds(operation['requestBody']['content'])}.")
    yield from ("", "| Answers | |", "|---|---|")
    for status, answer in operation["responses"].items():
        kinds = _kinds(answer.get("content", {}))
        headers = ", ".join(f"`{name}`" for name in answer.get("headers", ()))
        parts = [answer["description"], kinds, headers]
        yield f"| {status} | {'; '.join(part for part in parts if part)} |"


def _kinds(content: dict[str, Any]) -> str:
    return ", ".join(
        f"[{name}](#{name.lower()})" if name else f"`{kind}`"
        for kind, held in content.items()
        for name in [held.get("schema", {}).get("$ref", "").rpartition("/")[2]]
    )


def _members(schema: dict[str, Any]) -> Iterator[str]:
    for name, each in schema.get("properties", {}).items():
        kinds = [part.get("type") or part.get("$ref", "") for part in each.get("anyOf", [each])]
        names = " or ".join(str(kind).rpartition("/")[2] for kind in kinds)
        yield f"| `{name}` | {names} | {_cell(each.get('description', ''))} |"


# ------------------------------------------------------ index.md, adr/README.md

SECTIONS = (
    ("tutorial", "See it work once"),
    ("how-to", "Do one thing"),
    ("reference", "Look something up"),
    ("explanation", "Understand why"),
)


def titled(folder: Path) -> list[tuple[str, str]]:
    """The pages of a folder and the titles that they give themselves."""
    return [
        (path.name, path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ").strip())
        for path in sorted(folder.glob("*.md"))
        if path.name != "README.md"
    ]


def index_page() -> str:
    """docs/index.md."""
    lines = ["# Documentation", "", MADE]
    for folder, purpose in SECTIONS:
        pages = titled(DOCS / folder)
        lines += [f"## {purpose}", ""]
        lines += [f"- [{title or name}]({folder}/{name})" for name, title in pages] + [""]
    return "\n".join(
        [*lines, "Choices that a reader could question: [decisions](adr/README.md).", ""]
    )


def decisions_page() -> str:
    """docs/adr/README.md."""
    lines = [
        "# Decisions",
        "",
        MADE,
        "One page for each choice that a reader could question: what was chosen, what else was",
        "weighed, what it costs, what would make us choose again. A decision in force is not edited;",
        "a later one replaces it and both say so. A new one takes the next free number and the",
        "headings of the others, and `make docs` lists it here.",
        "",
        *(f"- [{title}]({name})" for name, title in titled(DOCS / "adr")),
    ]
    return "\n".join(lines) + "\n"


DOCS = REPOSITORY / "docs"
PAGES = {
    REFERENCE / "errors.md": errors_page,
    REFERENCE / "commands.md": commands_page,
    REFERENCE / "settings.md": settings_page,
    REFERENCE / "routes.md": routes_page,
    REFERENCE / "review.md": review_page,
    REFERENCE / "api.md": api_page,
    DOCS / "adr" / "README.md": decisions_page,
    DOCS / "index.md": index_page,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check name those that differ from what would be written."""
    checking = "--check" in arguments
    stale = False
    for path, page in PAGES.items():
        text = page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale = True
        print(
            f"{path.relative_to(REPOSITORY)}: {'stale, run `make docs`' if checking else 'written'}"
        )
        if not checking:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if stale and checking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
