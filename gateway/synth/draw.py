"""Chance that can be had again: every part of the borough has its own named stream.

A part that draws more or fewer numbers never shifts another part, so a change
in one extract leaves all others byte for byte as they were.

Source: numpy PCG64 and SeedSequence, whose streams are stable across versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one named part of the borough.

    Args:
        seed: the borough's seed, 0 or more.
        name: the part, such as "homes" or "errors/health".

    Returns:
        A PCG64 generator that depends on nothing but the two.
    """
    entropy = np.random.SeedSequence([seed, crc32(name.encode())])
    return np.random.Generator(np.random.PCG64(entropy))


def chance(rng: np.random.Generator, n: int, p: float | npt.NDArray[np.float64]) -> Flags:
    """Return n flags, each set with probability p."""
    return rng.random(n) < p


def whole(rng: np.random.Generator, n: int, low: int, high: int) -> Ints:
    """Return n whole numbers from low to high, both possible."""
    return rng.integers(low, high + 1, n, dtype=np.int64)


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a list written as text; an underscore stands for a space."""
    return tuple(word.replace("_", " ") for word in text.split())


def zipf_weights(n: int) -> npt.NDArray[np.float64]:
    """Return n falling weights that add up to 1 (flattened Zipf, offset 3)."""
    weights: npt.NDArray[np.float64] = 1.0 / (np.arange(n, dtype=np.float64) + 3.0)
    weights /= float(weights.sum())
    return weights


def pick(rng: np.random.Generator, n: int, weights: Sequence[float]) -> Ints:
    """Return n indices into `weights`, drawn by weight."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.searchsorted(edges / edges[-1], rng.random(n), side="right").clip(0, len(edges) - 1)


def pick_word(rng: np.random.Generator, n: int, weights: dict[str, float]) -> pl.Series:
    """Return n of the words, drawn by their weights."""
    return words(tuple(weights), pick(rng, n, tuple(weights.values())))


def words(vocabulary: Sequence[str], index: Ints) -> pl.Series:
    """Return the words at the given places."""
    return pl.Series(vocabulary, dtype=pl.String).gather(index)


def yes_no(flags: Flags) -> pl.Series:
    """Return Y or N for each flag."""
    return words(("N", "Y"), flags.astype(np.int64))


def only_where(flags: Flags, values: pl.Series) -> pl.Series:
    """Return the values with every row that is not flagged left empty."""
    return values.zip_with(pl.Series(flags), pl.Series([None], dtype=values.dtype))


def days(numbers: Ints) -> pl.Series:
    """Return dates from days since 1970-01-01."""
    return pl.Series(numbers.astype(np.int32)).cast(pl.Date)
