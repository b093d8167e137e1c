"""The OpenAPI 3.1 of this API, made from what its routes state: guards, bodies, answers.

Source: OpenAPI 3.1.1; RFC 9457; docs/adr/0259-the-api-describes-itself.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, current_app
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from gateway.model.permissions import PERMISSIONS
from gateway.web import cookies
from gateway.web.api.header_words import HEADERS, PHRASES, REQUIRED
from gateway.web.api.operations import MARK, Operation, Shape, operation
from gateway.web.api.shapes import Problem
from gateway.web.callers import Realm
from gateway.web.guards import Guard, guard_of, open_to_all

api = Blueprint("documentation", __name__)
_NAME = "gateway-openapi"
_REF = "#/components/schemas/{model}"
_SCHEMES = {Realm.MACHINE: "token", Realm.PERSON: "session"}
# Any request may be malformed; the database may be away.
_ALWAYS = (400, 503)
_ABOUT = (
    "Partners send extracts and read what came of them; the data team asks for releases. "
    "Every fault is a problem document with a stable code. No answer repeats what was sent, "
    "and none holds a value of a partner's file."
)


@api.get("/api/openapi.json")
@operation(answers={200: "application/json"})
@open_to_all("the description of this API")
def described() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    made = current_app.extensions.get(_NAME)
    if made is None:
        made = current_app.extensions[_NAME] = json.dumps(document(current_app))
    return Response(made, mimetype="application/json")


def document(app: Flask) -> dict[str, Any]:
    """The OpenAPI of an application's routes under /api."""
    paths: dict[str, dict[str, Any]] = {}
    models: set[type[BaseModel]] = {Problem}
    for rule, method, stated, guard in _stated(app):
        place = re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", r"{\1}", rule.rule)
        view = app.view_functions[rule.endpoint]
        paths.setdefault(place, {})[method.lower()] = _operation(rule, view, stated, guard)
        shapes = (*stated.answers.values(), stated.body)
        models |= {shape for shape in shapes if isinstance(shape, type)}
    by_name = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in by_name], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Data-sharing gateway", "version": "1", "description": _ABOUT},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "From /oauth/token by private_key_jwt.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookies.SESSION,
                    "description": "A page's session; changes carry X-CSRF-Token as well.",
                },
            },
        },
    }


def without_data() -> dict[str, Any]:
    """The OpenAPI of every blueprint, without a data directory."""
    from gateway.web.routes import blueprints

    app = Flask("gateway.web", static_folder=None)
    for blueprint in blueprints():
        app.register_blueprint(blueprint)
    return document(app)


def undocumented(app: Flask) -> list[str]:
    """Routes under /api that state no operation."""
    return sorted(
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and not hasattr(app.view_functions[rule.endpoint], MARK)
        for method in rule.methods or ()
    )


def _stated(app: Flask) -> Iterator[tuple[Rule, str, Operation, Guard]]:
    seen: set[tuple[str, str]] = set()
    for rule in app.url_map.iter_rules():
        stated = getattr(app.view_functions[rule.endpoint], MARK, None)
        guard = guard_of(app, rule.endpoint)
        if stated is None or guard is None:
            continue
        # HEAD and OPTIONS come with every GET; only those that a route names are its own.
        methods = set(rule.methods or ())
        own = methods if methods <= {"HEAD", "OPTIONS"} else methods - {"HEAD", "OPTIONS"}
        for method in sorted(own):
            if (rule.rule, method) not in seen:
                seen.add((rule.rule, method))
                yield rule, method, stated, guard


def _operation(rule: Rule, view: Any, stated: Operation, guard: Guard) -> dict[str, Any]:
    summary = (view.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    told: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "-"),
        "summary": summary,
        "parameters": [*_path(rule), *_query(stated.query), *_taken(stated)],
        "responses": dict(_answers(stated, guard)),
        "security": [{_SCHEMES[realm]: []} for realm in sorted(guard.realms)],
    }
    if guard.action is not None:
        roles = ", ".join(sorted(PERMISSIONS.get(guard.action, frozenset())))
        told["description"] = f"Permitted by `{guard.action}`: {roles}."
    if stated.body is not None:
        needed = isinstance(stated.body, type)
        told["requestBody"] = {"required": needed, "content": _content(stated.body)}
    return told


def _path(rule: Rule) -> Iterator[dict[str, Any]]:
    for name in sorted(rule.arguments):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query(model: type[BaseModel] | None) -> Iterator[dict[str, Any]]:
    schema: Mapping[str, Any] = model.model_json_schema() if model else {}
    for name, each in schema.get("properties", {}).items():
        needed = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": needed, "schema": each}


def _taken(stated: Operation) -> Iterator[dict[str, Any]]:
    for name in stated.takes:
        schema, words = HEADERS[name]
        creates = name == "Upload-Length" and 201 in stated.answers
        yield {
            "name": name,
            "in": "header",
            "required": name in REQUIRED or creates,
            "description": words,
            "schema": schema,
        }


def _answers(stated: Operation, guard: Guard) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, shape in stated.answers.items():
        told: dict[str, Any] = {"description": _phrase(status)}
        if shape is not None:
            told["content"] = _content(shape)
        if status in stated.gives:
            told["headers"] = {
                name: {"description": HEADERS[name][1], "schema": HEADERS[name][0]}
                for name in stated.gives[status]
            }
        yield str(status), told
    guarded = (401, 403) if guard.action is not None else ()
    for status in sorted({*stated.problems, *guarded, *_ALWAYS}):
        content = {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}}
        yield str(status), {"description": _phrase(status), "content": content}


def _content(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, type):
        return {"application/json": {"schema": {"$ref": _REF.format(model=shape.__name__)}}}
    return {each: {} for each in (shape if isinstance(shape, tuple) else (str(shape),))}


def _phrase(status: int) -> str:
    return PHRASES.get(status) or HTTPStatus(status).phrase
