"""Record what the C library's functions return for the arguments of a sweep.

Reads sweep.json, writes sweep.gz beside it. The reference is glibc 2.36 on an
x86-64 CPU with fused multiply-add; run this nowhere else.

A function's arguments are, in this order:
- the 32 numbers below and above each edge, and it, with both signs;
- the infinities and NaN;
- pseudo-random ones up to COUNT in all: bit patterns and numbers in [low, high)
  by turns.

A function of two arguments has a fixed one, first or second.

Of each result only the lowest four bits are kept, two results to a byte, the
first in the low half: Go's own functions are good to a few ulps and give the
rest.
"""

import ctypes
import gzip
import json
import math
import pathlib
import struct

COUNT = 1 << 17
NEIGHBOURS = 32

HERE = pathlib.Path(__file__).parent
LIBM = ctypes.CDLL("libm.so.6")


def generator(state=1):
    """Knuth's MMIX; the high half is used."""
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 32


def arguments(spec):
    """Yield the bit patterns of the arguments."""
    wide = spec["bits"] == 64
    number, word = ("<d", "<Q") if wide else ("<f", "<I")
    sign = 1 << (spec["bits"] - 1)

    def bits(x):
        return struct.unpack(word, struct.pack(number, x))[0]

    for edge in spec["edges"]:
        for d in range(-NEIGHBOURS, NEIGHBOURS + 1):
            b = bits(edge) + d
            if b >= 0:
                yield b
                yield b | sign
    yield from (bits(math.inf), bits(-math.inf), bits(math.nan))
    random = generator()
    while True:
        high, low = next(random), next(random)
        yield high << 32 | low if wide else high
        yield bits(spec["low"] + (spec["high"] - spec["low"]) * (next(random) / 2**32))


def main():
    out = bytearray()
    for spec in json.loads((HERE / "sweep.json").read_text()):
        wide = spec["bits"] == 64
        c = ctypes.c_double if wide else ctypes.c_float
        number, word = ("<d", "<Q") if wide else ("<f", "<I")
        f = LIBM[spec["name"].split()[0]]
        before, after = ([spec[k]] if k in spec else [] for k in ("first", "second"))
        f.argtypes, f.restype = [c] * (len(before) + 1 + len(after)), c
        low = []
        for _, b in zip(range(COUNT), arguments(spec)):
            x = struct.unpack(number, struct.pack(word, b))[0]
            y = f(*before, x, *after)
            low.append(0 if math.isnan(y) else struct.unpack(word, struct.pack(number, y))[0] & 15)
        out += bytes(low[i] | low[i + 1] << 4 for i in range(0, COUNT, 2))
    (HERE / "sweep.gz").write_bytes(gzip.compress(bytes(out), 9, mtime=0))


if __name__ == "__main__":
    main()
