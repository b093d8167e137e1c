"""Two real gateways: one pushes, the other verifies, acknowledges and opens."""

from __future__ import annotations

from gateway.adapters.deliveries import ARRIVED, DeliveryState
from tests.delivery.pair import Pair
from tests.journeys import borough
from tests.service.serving import until


def _everything_arrived(pair: Pair) -> bool:
    found = pair.deliveries()
    return bool(found) and all(each.state in ARRIVED for each in found)


def test_packages_are_pushed_verified_acknowledged_and_opened(pair: Pair) -> None:
    with pair.receiving(), pair.sending():
        release = pair.share()
        until(lambda: pair.deliveries(), lambda _: _everything_arrived(pair))
    for each in pair.deliveries():
        assert each.state is DeliveryState.ACKNOWLEDGED
        assert len(each.receipt_digest) == 64
    assert {each.package for each in pair.arrived()} == {e.package for e in pair.deliveries()}
    assert pair.sender.ask("releases", release)["state"] == "acknowledged"
    assert not list((pair.sender.data / "outgoing").iterdir())
    assert pair.sender.ask("ledger", "verify")["ok"]
    assert pair.recipient.ask("ledger", "verify")["ok"]
    (research,) = [e for e in pair.deliveries() if e.recipient == borough.RESEARCH]
    key = pair.sender.home / borough.RESEARCH / "recipient.key"
    to = pair.recipient.home / "study"
    opened = pair.recipient.ask(
        "inbox", "open", research.package, "--key", str(key), "--to", str(to)
    )
    assert opened["rows"] > 0
    assert (to / "manifest.json").exists()
