"""Join two opened linkage files by their tokens alone: what a linkage unit does with them.

    python link_tokens.py LEFT/data.csv RIGHT/data.csv --to links.csv

Tokens are tried one after the other, national numbers first, then T01 to T39, keys
without a forename last. A token joins two link ids when it belongs to one link id on
each side; linked ids take no further part. Uniqueness is judged by link id, because
alias rows repeat it. It needs only Python.

Source: docs/reference/pseudonyms.md, "Components"; docs/how-to/link-by-tokens.md.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

WEAK = frozenset({"T11", "T20", "T21", "T30", "T31", "T35", "T38"})
NOT_TOKENS = frozenset({"link_id", "slot"})

# token name -> token -> the link ids that have it
Holders = dict[str, dict[str, set[str]]]


def read(path: Path) -> Holders:
    """The link ids of each token of one linkage file."""
    holders: Holders = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for name, token in row.items():
                if name not in NOT_TOKENS and token:
                    holders.setdefault(name, {}).setdefault(token, set()).add(row["link_id"])
    return holders


def strongest_first(names: Iterable[str]) -> list[str]:
    """National numbers, then the table's order, keys without a forename last."""
    return sorted(names, key=lambda name: (not name.startswith("TN-"), name in WEAK, name))


def link(left: Holders, right: Holders) -> list[tuple[str, str, str]]:
    """Pairs of link ids with the token that joined them."""
    taken: tuple[set[str], set[str]] = (set(), set())
    links = []
    for name in strongest_first(left.keys() & right.keys()):
        found = []
        for token, here in left[name].items():
            one, other = here - taken[0], right[name].get(token, set()) - taken[1]
            if len(one) == len(other) == 1:
                found.append((next(iter(one)), next(iter(other))))
        for pair in _once_each(found):
            links.append((*pair, name))
            taken[0].add(pair[0])
            taken[1].add(pair[1])
    return links


def _once_each(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs of which neither side stands in another pair of the same token (alias rows)."""
    distinct = sorted(set(pairs))
    lefts, rights = _counts(p[0] for p in distinct), _counts(p[1] for p in distinct)
    return [pair for pair in distinct if lefts[pair[0]] == rights[pair[1]] == 1]


def _counts(values: Iterable[str]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


def main() -> None:
    """Read two linkage files and write the pairs."""
    parser = argparse.ArgumentParser(description="Join two linkage files by tokens alone.")
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    chosen = parser.parse_args()
    links = link(read(chosen.left), read(chosen.right))
    with chosen.to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["left_link_id", "right_link_id", "token"])
        writer.writerows(links)
    sys.stdout.write(f"{len(links)} pairs\n")


if __name__ == "__main__":
    main()
