"""`gateway serve`, `gateway web` and `gateway worker`: the service, whole or one process alone.

Source: docs/reference/commands.md; docs/how-to/run-the-service.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_settings

KINDS = (
    *("check", "share", "rehearse", "deliver", "purge", "duties"),
    *("preview", "propose", "approve", "withdraw", "acknowledge", "seek", "disclose", "reasons"),
)
# What a worker does that is kept free for partners while another makes a release.
QUICK = tuple(kind for kind in KINDS if kind not in ("share", "rehearse", "preview", "duties"))

_PLACE = (
    click.option("--host", help="Address to listen on (default: GATEWAY_HOST)."),
    click.option("--port", type=int, help="Port (default: GATEWAY_PORT); 0 takes a free one."),
    click.option(
        "--web", "processes", type=click.IntRange(1, 64), default=2, show_default=True,
        help="Processes that answer requests.",
    ),
    click.option(
        "--certfile", type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Certificate for TLS; without it, stand behind a proxy on this machine.",
    ),
    click.option(
        "--keyfile", type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The certificate's key.",
    ),
)  # fmt: skip


def _placed(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_PLACE):
        command = option(command)
    return command


@click.command()
@_placed
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Processes that do jobs; of several, the last makes no releases.",
)
@json_option
@click.pass_context
@exits
def serve(ctx: click.Context, /, workers: int, json_wanted: bool, **place: Any) -> None:
    """Run the service: web, workers, and a supervisor that keeps them alive.

    Example: gateway serve --port 8440
    """
    from gateway.adapters import logs
    from gateway.service import starting, web_process
    from gateway.service.supervisor import supervise

    settings = open_settings(ctx)
    logs.begin("supervisor", level=settings.log_level)
    starting.require_founded(settings)
    listening = _listening(settings, place)
    with web_process.bound(listening) as listener:
        where = web_process.address(listening, listener)

        def up(processes: Mapping[str, int]) -> None:
            emit({"listening": where, "processes": dict(processes)}, json_wanted, [_hello(where)])
            sys.stdout.flush()

        plans = [_web_plan(settings, listening, listener), *_worker_plans(ctx, workers)]
        code = supervise(plans, say=logs.log().warning, up=up)
    ctx.exit(code)


@click.command()
@_placed
@json_option
@click.pass_context
@exits
def web(ctx: click.Context, /, json_wanted: bool, **place: Any) -> None:
    """Run the web process alone: it takes uploads in and opens nothing that is stored.

    Example: gateway web --port 8440
    """
    from gateway.service import starting, web_process

    settings = open_settings(ctx)
    starting.require_founded(settings)
    listening = _listening(settings, place)
    listener = web_process.bound(listening)
    where = web_process.address(listening, listener)
    emit({"listening": where}, json_wanted, [_hello(where)])
    sys.stdout.flush()
    command = web_process.command(listening, listener.fileno())
    # From here on this process is gunicorn: nothing of ours stays in its memory.
    os.execve(command[0], command, web_process.environment(settings, where))  # noqa: S606


@click.command()
@click.option(
    "--only",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    help="Do only these kinds of job; may be given several times.",
)
@json_option
@click.pass_context
@exits
def worker(ctx: click.Context, kinds: tuple[str, ...], json_wanted: bool) -> None:
    """Run one worker: it opens the key ring once and does the jobs of the service.

    Example: gateway worker --only check
    """
    from gateway.adapters import logs
    from gateway.adapters.jobs import JobKind
    from gateway.service import starting
    from gateway.service.worker import Terms, stopped_by_signal, work

    starting.end_with_parent()
    settings = open_settings(ctx)
    logs.begin("worker", level=settings.log_level)
    starting.require_founded(settings)
    chosen = tuple(JobKind(kind) for kind in kinds) or tuple(JobKind)

    def ready() -> None:
        starting.say_ready()
        emit({"worker": os.getpid(), "kinds": list(chosen)}, json_wanted, [])

    with stopped_by_signal() as stop:
        work(settings, Terms(kinds=chosen, ready=ready), stop)


def _listening(settings: Any, place: Mapping[str, Any]) -> Any:
    from gateway.service.web_process import Listening

    if (place["certfile"] is None) != (place["keyfile"] is None):
        raise click.UsageError("--certfile and --keyfile go together.")
    return Listening(
        host=place["host"] or settings.host,
        port=settings.port if place["port"] is None else place["port"],
        processes=place["processes"],
        certificate=place["certfile"],
        key=place["keyfile"],
    )


def _web_plan(settings: Any, listening: Any, listener: Any) -> Any:
    from gateway.service import web_process
    from gateway.service.supervisor import Plan

    return Plan(
        name="web",
        command=web_process.command(listening, listener.fileno()),
        environment=web_process.environment(settings, web_process.address(listening, listener)),
        inherits=(listener.fileno(),),
    )


def _worker_plans(ctx: click.Context, workers: int) -> list[Any]:
    from gateway.service.supervisor import Plan

    data = str(open_settings(ctx).data)
    base = [sys.executable, "-P", "-m", "gateway", "--data", data, "worker"]
    quick = [word for kind in QUICK for word in ("--only", kind)]
    return [
        Plan(
            name=f"worker-{number}",
            command=[*base, *(quick if 1 < number == workers else [])],
            environment=dict(os.environ),
        )
        for number in range(1, workers + 1)
    ]


def _hello(where: str) -> str:
    return f"The gateway listens on {where}"
