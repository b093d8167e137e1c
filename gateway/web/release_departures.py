"""What left of one release, and of which packages nobody knows: a stop comes late at times.

A release that is held or withdrawn on its way may have sent a part already. That part
has its receipts and duties as any other, and its page must not say that nothing left.

Source: security points 8, 15 and 16; gateway.adapters.dispatching, `may_still_leave`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.adapters.deliveries import PORTAL, Delivery, DeliveryState
from gateway.adapters.release_store import PackageRecord, ReleaseState
from gateway.policy import Bundle
from gateway.web import states
from gateway.web.release_columns import recipient_title

STOPPED = frozenset({ReleaseState.REFUSED, ReleaseState.HELD, ReleaseState.WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Departures:
    """The packages of a release: how many there are, which left, which perhaps did.

    `late` counts those of which it is written down that they were not delivered, `to_carry`
    those that wait until a person carries them to the recipient's portal.
    """

    every: int
    left: Sequence[PackageRecord]
    unsure: Sequence[PackageRecord] = ()
    late: int = 0
    to_carry: int = 0

    @property
    def any(self) -> bool:
        """Whether a package left, or may have."""
        return bool(self.left or self.unsure)


def departures(packages: Sequence[PackageRecord], deliveries: Iterable[Delivery]) -> Departures:
    """What left of a release.

    Args:
        packages: of the release.
        deliveries: of the same; a try that was begun and has no end may have arrived.
    """
    known = list(deliveries)
    begun = {each.package for each in known if each.touched}
    waiting = [package for package in packages if not package.forwarded]
    return Departures(
        every=len(packages),
        left=[package for package in packages if package.forwarded],
        unsure=[package for package in waiting if package.id in begun],
        late=sum(each.state is DeliveryState.NOT_DELIVERED for each in known),
        to_carry=to_carry(known),
    )


def to_carry(deliveries: Iterable[Delivery]) -> int:
    """How many of some packages wait until a person carries them."""
    return sum(
        each.channel == PORTAL and each.state is DeliveryState.WAITING for each in deliveries
    )


def carrying(count: int) -> str:
    """That some packages wait to be carried, as people read it."""
    waits = "waits" if count == 1 else "wait"
    return f"{count} {waits} to be carried to the recipient’s portal"


def shown(state: ReleaseState, gone: Departures, bundle: Bundle) -> states.Shown:
    """A release's state in words; of a stopped one also what had left before it stopped."""
    told = states.RELEASES[state]
    if state not in STOPPED or not gone.any:
        return told
    return replace(told, meaning=" ".join(_sentences(gone, bundle)))


def _sentences(gone: Departures, bundle: Bundle) -> Iterable[str]:
    left, of = len(gone.left), "package" if gone.every == 1 else "packages"
    if gone.left:
        yield f"{left} of {gone.every} {of} left, for {_recipients(gone.left, bundle)}."
        still = "its receipt and duties" if left == 1 else "their receipts and duties"
        yield f"{still[:1].upper()}{still[1:]} still run."
    if gone.unsure:
        one = len(gone.unsure) == 1
        yield (
            f"{len(gone.unsure)} of {gone.every} {of}, for {_recipients(gone.unsure, bundle)}, may "
            f"have left: a try was begun whose end is not known. Ask the recipient whether "
            f"{'it' if one else 'they'} arrived."
        )
    stays = gone.every - left - len(gone.unsure)
    if stays:
        yield f"{stays} did not leave and will not." + (
            " To share again, make a new release." if gone.left else ""
        )


def _recipients(packages: Sequence[PackageRecord], bundle: Bundle) -> str:
    names = dict.fromkeys(recipient_title(bundle, each.recipient) for each in packages)
    return " and ".join(names)
