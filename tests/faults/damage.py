"""Ways a file of a store is damaged, and the commands that must stand it."""

from __future__ import annotations

import random


def pages(data: bytearray, rng: random.Random) -> None:
    for _ in range(2):
        at = rng.randrange(1, len(data) // 4096) * 4096
        data[at : at + 4096] = rng.randbytes(4096)


def zeroes(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(1, len(data) // 4096 - 1) * 4096
    data[at : at + 8192] = bytes(8192)


def bits(data: bytearray, rng: random.Random) -> None:
    for _ in range(200):
        data[rng.randrange(100, len(data))] ^= 1 << rng.randrange(8)


def cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(200, len(data) - 4096) :]


COMMANDS = (("status",), ("variant", "list"), ("scores",), ("doctor",), ("verify",), ("judge", "list"))
DAMAGES = (pages, zeroes, bits, cut)
