"""Partners who send at the same moment: nothing is lost, nobody gets another's receipt.

`gateway bench service --rows 100000` is the full form of this, with its times and memory.
Source: docs/reference/benchmarks.md.
"""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import many_partners as many
from tests.service import serving

PARTNERS = 4
ROWS = 1_500


def test_partners_who_send_at_once_all_get_the_receipt_of_their_own_file(tmp_path: Path) -> None:
    office = many.built(tmp_path / "office", PARTNERS)
    parties = [many.party_of(number) for number in range(PARTNERS)]
    with serving.serving(office, web=2, workers=2) as service:
        with many.asking(service, parties[0]) as took:
            sent = many.all_at_once(
                service, {party: many.extract(ROWS, seed=n) for n, party in enumerate(parties)}
            )
        assert service.stop() == 0
    assert took, "others were answered meanwhile"
    many.check_nothing_lost(office, sent)
