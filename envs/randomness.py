"""Counter-based randomness: a draw is a hash of (key, lifetime, step, stream), nothing is kept.

So env i of a batch equals the single env with the same key, in any order and on any device. The
arithmetic stays within 64-bit integers and reads the same for Python ints, numpy and torch.
"""

from typing import Any

from myopia.envs.backend import Array

START, STEP, BOUNDARY, DISPLAY = range(4)
"""Streams: the first state, an action's outcome, an epoch boundary, noise on the shown index."""

_STREAMS = 4
_WORD = 0xFFFFFFFF
KEY_BITS = 62


def draw_key(generator: Any) -> int:
    """One key per lifetime stream, from a numpy Generator."""
    return int(generator.integers(1 << KEY_BITS))


def lifetime_key(key: Array, lifetime: Array) -> tuple[Array, Array]:
    """The two 32-bit words that stand for one lifetime under `key`."""
    low, high = key & _WORD, key >> 32
    first = mix(low ^ mix(lifetime + 0x2545F491))
    return first, mix(high ^ mix(first + 0x1B873593))


def draw(words: tuple[Array, Array], step: Array, stream: int) -> Array:
    """A uniform integer in 0..2**32-1 for this step of the lifetime and this stream."""
    first, second = words
    return mix(second ^ mix(first + step * _STREAMS + stream))


def mix(x: Array) -> Array:
    """A bijection on 32-bit words with full avalanche (Wellons's hash prospector, 2 rounds)."""
    x = x & _WORD
    x = x ^ (x >> 16)
    x = x * 0x7FEB352D & _WORD
    x = x ^ (x >> 15)
    x = x * 0x846CA68B & _WORD
    return x ^ (x >> 16)
