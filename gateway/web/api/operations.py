"""What each route of the API takes and gives, stated beside it; the OpenAPI is made from this.

    @api.get("/extracts/<extract>")
    @operation(answers={200: Extract}, problems=(404,))
    @guarded(Action.RECEIPT_READ, realm=BOTH)
    def one(extract: str, *, caller: Caller) -> Response:
        "Say what became of one extract."

The first line of the view's docstring is the summary. What comes in is parsed once,
strictly: an unknown member, a second value or another type refuses, and no answer
repeats what was sent.

Source: OpenAPI 3.1; docs/adr/0259-the-api-describes-itself.md; security point 9.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Response, request
from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.errors import UsageError
from gateway.web.api.body import Body
from gateway.web.callers import Realm

BOTH = frozenset({Realm.PERSON, Realm.MACHINE})
MARK = "__operation__"
LARGEST_JSON = 64 << 10

V = TypeVar("V", bound=Callable[..., Any])
M = TypeVar("M", bound=BaseModel)
Shape = type[BaseModel] | str | tuple[str, ...] | None
"""A JSON document, a media type or one of several, or no body."""


class Strict(BaseModel):
    """A document whose every member is known and of its exact type."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,  # most of them are only described, and only when somebody asks
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one route takes and gives."""

    answers: Mapping[int, Shape]
    problems: tuple[int, ...] = ()
    query: type[BaseModel] | None = None
    body: Shape = None
    takes: tuple[str, ...] = ()
    gives: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def operation(
    *,
    answers: Mapping[int, Shape],
    problems: tuple[int, ...] = (),
    query: type[BaseModel] | None = None,
    body: Shape = None,
    takes: tuple[str, ...] = (),
    gives: Mapping[int, tuple[str, ...]] | None = None,
) -> Callable[[V], V]:
    """State what a route takes and gives.

    Args:
        answers: by status, what a good answer holds.
        problems: the statuses of its refusals, beyond those that every guarded route has.
        query: the parameters of its address.
        body: what it takes.
        takes: the request headers that it reads, by name.
        gives: by status, the headers that it answers with.
    """
    stated = Operation(
        answers=answers,
        problems=problems,
        query=query,
        body=body,
        takes=takes,
        gives=gives or {},
    )

    def marked(view: V) -> V:
        setattr(view, MARK, stated)
        return view

    return marked


def asked(model: type[M]) -> M:
    """The parameters of this request's address.

    Raises:
        UsageError: `request/malformed`.
    """
    told: dict[str, Any] = {}
    for name, values in request.args.lists():
        if len(values) != 1:
            raise malformed("address")
        told[name] = values[0]
    try:
        return model.model_validate_strings(told, strict=True)
    except ValidationError as fault:
        raise malformed("address", fault) from None


def sent(model: type[M]) -> tuple[M, bytes]:
    """The JSON document of this request, and its bytes.

    Raises:
        UsageError: `request/malformed`, `request/media-type`, `request/body-too-long`.
    """
    if request.mimetype != "application/json":
        raise UsageError(
            "request/media-type",
            "The body is not of the kind that this address takes.",
            remedy="/api/openapi.json says which kinds it takes.",
        )
    octets = Body(request.environ).small(LARGEST_JSON)
    if octets is None:
        raise UsageError(
            "request/body-too-long", "The body is longer than 64 KiB.", remedy="Send a shorter one."
        )
    try:
        document = json.loads(octets.decode("utf-8"), object_pairs_hook=_unique)
        return model.model_validate_json(json.dumps(document), strict=True), octets
    except ValidationError as fault:
        raise malformed("body", fault) from None
    except (ValueError, RecursionError):
        raise malformed("body") from None


def answer(document: BaseModel, status: int = 200, **headers: str) -> Response:
    """A JSON answer."""
    told = Response(document.model_dump_json(), status, mimetype="application/json")
    told.headers.extend({name.replace("_", "-"): value for name, value in headers.items()})
    return told


def malformed(part: str, fault: ValidationError | None = None) -> UsageError:
    """A request that is not as the OpenAPI says; names members of ours only."""
    named = ""
    for each in fault.errors(include_input=False, include_url=False) if fault else ():
        if each["type"] != "extra_forbidden" and each["loc"]:
            named = f' (see "{each["loc"][0]}")'
    return UsageError(
        "request/malformed",
        f"The {part} of the request is not as the API describes it{named}.",
        remedy="Compare it with /api/openapi.json.",
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)
