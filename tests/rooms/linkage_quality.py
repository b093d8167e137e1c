"""How well two token tables link: unique on both sides, strongest key first.

A pure function for evaluation; the linkage itself is done by another body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from gateway.model.tokens import TOKEN_NAMES, WEAK_TOKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Links found, links right and links there are to find."""

    found: int
    right: int
    true: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.found + self.true) if self.found + self.true else 1.0


def strongest_first(names: Sequence[str]) -> tuple[str, ...]:
    """National numbers, then the table's order, weak keys last."""
    order = {name: place for place, name in enumerate(TOKEN_NAMES)}
    return tuple(sorted(names, key=lambda n: (not n.startswith("TN-"), n in WEAK_TOKENS, order[n])))


def linked(left: pl.DataFrame, right: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Pairs of `id` whose token is unique among those not yet linked, key after key.

    Args:
        left: `id` and one column for each token.
        right: the same.
        names: tokens, in the order in which they are tried.

    Returns:
        Columns `left`, `right`, `token`.
    """
    pairs = []
    for name in names:
        sides = [
            table.select(pl.col("id").alias(side), pl.col(name).alias("token"))
            .drop_nulls("token")
            .filter(pl.col("token").is_unique())
            for side, table in (("left", left), ("right", right))
        ]
        new = sides[0].join(sides[1], on="token").select("left", "right")
        pairs.append(new.with_columns(pl.lit(name).alias("token")))
        left = left.join(new, left_on="id", right_on="left", how="anti")
        right = right.join(new, left_on="id", right_on="right", how="anti")
    return pl.concat(pairs)


def quality(links: pl.DataFrame, truth: pl.DataFrame) -> Quality:
    """Compare links with the true pairs; both have columns `left` and `right`."""
    right = links.join(truth, on=["left", "right"], how="semi").height
    return Quality(found=links.height, right=right, true=truth.height)
