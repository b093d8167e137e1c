"""How gunicorn runs our application: threads, limits, and who is told that it is up.

Source: gunicorn documentation, "Settings" and "Server Hooks".
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from gateway.adapters import logs
from gateway.adapters.settings import read_settings
from gateway.errors import GatewayError
from gateway.service import starting, web_process

worker_class = "gateway.service.gunicorn_worker.HeadsInTime"
timeout = 60
graceful_timeout = 20
keepalive = 75
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190
loglevel = "warning"
accesslog = None
control_socket_disable = True
forwarded_allow_ips = "127.0.0.1,::1"
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - empty files
proc_name = "gateway-web"
STALLED_SECONDS = 30


class Quiet(Logger):  # type: ignore[misc]
    """gunicorn's own messages, as lines of our log: where in its code, never what it quotes."""

    def setup(self, cfg: Any) -> None:
        """Let our log have what gunicorn would write itself."""
        self.error_log.propagate, self.error_log.handlers[:] = False, [logs.Libraries()]
        self.error_log.setLevel("WARNING")
        self.access_log.propagate, self.access_log.handlers[:] = False, []

    def error(self, msg: Any, *args: Any, **more: Any) -> None:
        """Say where in its code gunicorn had something to say, not where it passes it on."""
        self.error_log.error(msg, *args, stacklevel=2, **more)

    def warning(self, msg: Any, *args: Any, **more: Any) -> None:
        """The same of what is less serious."""
        self.error_log.warning(msg, *args, stacklevel=2, **more)

    def critical(self, msg: Any, *args: Any, **more: Any) -> None:
        """The same of what is most serious."""
        self.error_log.critical(msg, *args, stacklevel=2, **more)

    def exception(self, msg: Any, *args: Any, **more: Any) -> None:
        """The same of a fault."""
        self.error_log.exception(msg, *args, stacklevel=2, **more)

    def reopen_files(self) -> None:
        """There are none."""


logger_class = Quiet


def on_starting(_server: Any) -> None:
    """Build the application once before anything is served: what is wrong shows here."""
    starting.end_with_parent()
    starting.no_core()
    os.environ.pop(web_process.SECRET, None)
    try:
        settings = read_settings()
        logs.begin("web", level=settings.log_level)
        starting.require_founded(settings)
        web_process.application()
        share_what_is_loaded()
    except GatewayError as fault:
        sys.stderr.write(f"{fault.code}: {fault.sentence}\n{fault.remedy}\n")
        raise SystemExit(fault.exit_code) from None


def share_what_is_loaded() -> None:
    """Keep the collector off what every process shares: to look at a page would copy it."""
    gc.collect()
    gc.freeze()


def pre_request(worker: Any, request: Any) -> None:
    """A sender that stands still gives its thread back; what came before that is kept."""
    worker.head_is_there()
    connection = getattr(request.unreader, "sock", None)
    if connection is not None:
        connection.settimeout(STALLED_SECONDS)


def post_worker_init(_worker: Any) -> None:
    """A process of the web is ready to answer."""
    starting.say_ready()
    logs.log().info("process-ready")


def worker_abort(_worker: Any) -> None:
    """A process of the web did not answer for too long, and is ended."""
    logs.log().error("process-stalled")


def child_exit(_server: Any, worker: Any) -> None:
    """A process of the web has ended."""
    logs.log().info("process-ended", name="web-process", pid=worker.pid)
