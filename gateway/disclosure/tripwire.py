"""Is this release like the last one? What is unusual waits until a person has looked.

Month after month the same release leaves. A wrong file, a mapping that slipped or a
register that was emptied show first as a change of its shape: rows, columns, empty
cells, categories, small groups, shares withheld. Each is compared with the last
release of the purpose; a change beyond what chance explains holds the release.

Source: docs/explanation/disclosure.md, "The tripwire"; NIST SP 800-188, 4.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# Changes below these never hold a release, however sure they are; shares of one.
ROWS = 0.20
SHARE = 0.05
DISTANCE = 0.10
CATEGORY = 0.02
# Nor do changes within this many standard errors of two samples of one population.
SIGMAS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """One output as it left: counts only, never a row.

    `columns` are treatments by name; `empty` counts null cells by column;
    `categories` the rows of each value, for columns of few values; `withheld` people
    by reason; `received` all people of the cohort.
    """

    rows: int
    received: int
    columns: Mapping[str, str]
    empty: Mapping[str, int]
    categories: Mapping[str, Mapping[str, int]] = field(repr=False)
    withheld: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One unusual change: a code for programs and a sentence for the person who looks."""

    code: str
    subject: str
    sentence: str


def alarms(last: Footprint, now: Footprint) -> tuple[Alarm, ...]:
    """Every unusual change from the last release of a purpose to this one."""
    return (
        *_columns(last, now),
        *_rows(last, now),
        *_empty(last, now),
        *_categories(last, now),
        *_withheld(last, now),
    )


def _rows(last: Footprint, now: Footprint) -> Iterator[Alarm]:
    change = now.rows - last.rows
    if abs(change) > max(ROWS * last.rows, SIGMAS * math.sqrt(last.rows + now.rows)):
        more = "more" if change > 0 else "fewer"
        share = _percent(abs(change) / max(last.rows, 1))
        yield Alarm(
            code="tripwire/rows", subject="rows", sentence=f"There are {share} {more} rows."
        )


def _columns(last: Footprint, now: Footprint) -> Iterator[Alarm]:
    for name in sorted({*last.columns, *now.columns}):
        before, after = last.columns.get(name), now.columns.get(name)
        if before == after:
            continue
        what = "is new" if before is None else "is gone" if after is None else f"is now {after}"
        yield Alarm(code="tripwire/columns", subject=name, sentence=f"Column {name} {what}.")


def _empty(last: Footprint, now: Footprint) -> Iterator[Alarm]:
    for name in sorted(last.empty.keys() & now.empty.keys()):
        before, after = _share(last.empty[name], last.rows), _share(now.empty[name], now.rows)
        if unusual(before, after, last.rows, now.rows, least=SHARE):
            yield Alarm(
                code="tripwire/empty",
                subject=name,
                sentence=f"Column {name} is empty in {_percent(after)} of rows, "
                f"last time in {_percent(before)}.",
            )


def _categories(last: Footprint, now: Footprint) -> Iterator[Alarm]:
    for name in sorted(last.categories.keys() & now.categories.keys()):
        before, after = last.categories[name], now.categories[name]
        yield from _new_or_gone(name, before, after)
        noise = math.sqrt(len({*before, *after}) * (_inverse(before) + _inverse(after)))
        apart = distance(before, after)
        if apart > max(DISTANCE, noise):
            yield Alarm(
                code="tripwire/categories",
                subject=name,
                sentence=f"{_percent(apart)} of the rows have moved between the values of {name}.",
            )


def _new_or_gone(name: str, before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Alarm]:
    for here, there, word in ((after, before, "new"), (before, after, "gone")):
        total, other = sum(here.values()), sum(there.values())
        count = sum(
            1
            for value, rows in here.items()
            if not there.get(value)
            and _share(rows, total) > CATEGORY
            and _share(rows, total) * other >= SIGMAS**2  # fewer may be none by chance
        )
        if count:
            yield Alarm(
                code=f"tripwire/value-{word}",
                subject=name,
                sentence=f"{count} value{'s' if count > 1 else ''} of {name} "
                f"{'are' if count > 1 else 'is'} {word}.",
            )


def _withheld(last: Footprint, now: Footprint) -> Iterator[Alarm]:
    for reason in sorted({*last.withheld, *now.withheld}):
        before = _share(last.withheld.get(reason, 0), last.received)
        after = _share(now.withheld.get(reason, 0), now.received)
        if unusual(before, after, last.received, now.received, least=SHARE) or _emptied(
            last, now, reason
        ):
            yield Alarm(
                code="tripwire/withheld",
                subject=reason,
                sentence=f"{_percent(after)} of the people were left out "
                f"({reason.replace('-', ' ')}), last time {_percent(before)}.",
            )


def _emptied(last: Footprint, now: Footprint, reason: str) -> bool:
    """A reason that withheld people last time and nobody now: as if a list had been lost."""
    return not now.withheld.get(reason) and last.withheld.get(reason, 0) >= SIGMAS**2


def unusual(before: float, after: float, first: int, second: int, *, least: float) -> bool:
    """Whether two shares differ by more than `least` and more than chance explains."""
    pooled = (before * first + after * second) / max(first + second, 1)
    error = math.sqrt(pooled * (1 - pooled) * (1 / max(first, 1) + 1 / max(second, 1)))
    return abs(after - before) > max(least, SIGMAS * error)


def distance(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """Total variation distance of two distributions, 0 to 1."""
    first, second = sum(before.values()), sum(after.values())
    return 0.5 * sum(
        abs(_share(after.get(value, 0), second) - _share(before.get(value, 0), first))
        for value in {*before, *after}
    )


def _share(count: int, total: int) -> float:
    return count / total if total else 0.0


def _inverse(counts: Mapping[str, int]) -> float:
    return 1 / max(sum(counts.values()), 1)


def _percent(share: float) -> str:
    return f"{share:.0%}"
