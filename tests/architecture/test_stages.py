"""Each stage of the way out has exactly one maker; a forged one is found by reading the source.

Python cannot stop a determined colleague from calling a constructor, so the house
does what a compiler would: it reads every file and refuses a second maker.
"""

from __future__ import annotations

import ast
import dataclasses

import pytest

from gateway.model import stages
from tests.architecture import house

MAKERS = {
    "Cohort": "gateway.selection",
    "Willing": "gateway.objections",
    "Minimised": "gateway.minimise",
    "Pseudonymised": "gateway.pseudonymise",
    "Assessed": "gateway.disclosure",
    "Sealed": "gateway.sealing",
    "Recorded": "gateway.ledger",
}


def makers_of(module: ast.Module) -> list[tuple[str, int]]:
    """Every way in which a file could make a stage: call, alias, copy with changes, bare object."""
    aliases = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gateway.model")
        for alias in node.names
        if alias.name in MAKERS
    }
    found = []
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        made = _called(node.func)
        if made in aliases or (made in MAKERS and isinstance(node.func, ast.Attribute)):
            found.append((aliases.get(made, made), node.lineno))
        if aliases and made in {"replace", "__new__", "__replace__", "__setattr__"}:
            named = {
                _called(arg) for arg in node.args if isinstance(arg, (ast.Name, ast.Attribute))
            }
            found += [(aliases[name], node.lineno) for name in named & set(aliases)]
            if made in {"replace", "__replace__"} and _is_copying(node):
                found += [(stage, node.lineno) for stage in _annotated(module, aliases, node)]
    return found


def test_each_stage_is_made_by_its_own_room_and_by_nobody_else() -> None:
    elsewhere = [
        f"{house.named(path)}:{line} makes {stage}; only {MAKERS[stage]} may"
        for path in house.modules()
        for stage, line in makers_of(house.tree(path))
        if not house.dotted(path).startswith(MAKERS[stage])
    ]
    assert elsewhere == []


@pytest.mark.parametrize("stage", sorted(MAKERS))
def test_each_stage_has_its_maker(stage: str) -> None:
    made_in = {
        house.dotted(path)
        for path in house.modules()
        for made, _ in makers_of(house.tree(path))
        if made == stage
    }
    assert len(made_in) == 1, f"{stage} is made in {sorted(made_in)}"


@pytest.mark.parametrize(
    "forgery",
    [
        "from gateway.model.stages import Assessed\nAssessed(plan=p, partitions=q)\n",
        "from gateway.model.stages import Assessed as Fine\nFine(plan=p, partitions=q)\n",
        "import gateway.model.stages\ngateway.model.stages.Assessed(plan=p)\n",
        "from gateway.model import stages as s\ns.Assessed(plan=p)\n",
        "from gateway.model.stages import Assessed\nobject.__new__(Assessed)\n",
        "import dataclasses\nfrom gateway.model.stages import Assessed\n"
        "def forge(assessed: Assessed) -> Assessed:\n"
        "    return dataclasses.replace(assessed, counts={})\n",
    ],
)
def test_a_forged_stage_is_found(forgery: str) -> None:
    assert [stage for stage, _ in makers_of(ast.parse(forgery))] == ["Assessed"]


@pytest.mark.parametrize("stage", sorted(MAKERS))
def test_a_stage_cannot_be_changed_and_shows_no_row(stage: str) -> None:
    kind = getattr(stages, stage)
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in vars(kind)
    for field in dataclasses.fields(kind):
        if field.name == "partitions":
            assert not field.repr


def _called(func: ast.expr) -> str:
    if isinstance(func, ast.Attribute):
        return func.attr
    return func.id if isinstance(func, ast.Name) else ""


def _is_copying(call: ast.Call) -> bool:
    """`dataclasses.replace(x, field=...)`, not `str.replace("a", "b")`."""
    return bool(call.keywords)


def _annotated(module: ast.Module, aliases: dict[str, str], call: ast.Call) -> list[str]:
    """The stages that the copied name is annotated with, anywhere in the file."""
    copied = call.args[0].id if call.args and isinstance(call.args[0], ast.Name) else ""
    return [
        aliases[argument.annotation.id]
        for node in ast.walk(module)
        if isinstance(node, ast.arg)
        and (argument := node).arg == copied
        and isinstance(argument.annotation, ast.Name)
        and argument.annotation.id in aliases
    ]
