"""What `gateway receive` works with.

Source: docs/explanation/architecture.md, "The rooms".
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from gateway.adapters.checker import Checker
from gateway.adapters.children import Ahead
from gateway.adapters.judge import Judge
from gateway.adapters.locks import receiving
from gateway.adapters.settings import Settings
from gateway.wiring.ahead import started_ahead, warm
from gateway.wiring.common import (
    contract_digest,
    extract_store,
    new_id,
    now,
    open_bundle,
    open_database,
)
from gateway.workflows.ports import IntakeDesk, Progress


@contextlib.contextmanager
def intake_desk(
    settings: Settings, *, progress: Progress, ahead: Ahead | None = None
) -> Iterator[IntakeDesk]:
    """What `receive` works with: no secret key among it.

    Args:
        settings: where everything lives.
        progress: told each step.
        ahead: processes that were started before anything was loaded.
    """
    database = open_database(settings)
    with contextlib.ExitStack() as stack:
        stack.callback(database.close)
        ahead = ahead or stack.enter_context(started_ahead())
        extracts = extract_store(settings, database, sealing=True)
        stack.enter_context(receiving(settings.data, database, sweep=extracts.sweep))
        kept = warm()
        # One that is kept warm is not ours to begin anew.
        judge = (
            Judge(started=kept)
            if kept
            else stack.enter_context(Judge(started=ahead.take_judge(), fresh=True))
        )
        checker = stack.enter_context(Checker(started=ahead.take_checker()))
        bundle = open_bundle(database)
        yield IntakeDesk(
            contracts=bundle.contracts,
            contract_digests={
                name: contract_digest(contract) for name, contract in bundle.contracts.items()
            },
            extracts=extracts,
            checker=checker,
            judge=judge,
            now=now,
            new_id=lambda kind: f"{kind}-{new_id()}",
            progress=progress,
        )
