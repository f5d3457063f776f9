"""Writes tests/Golden/gguf/blocks.json: random blocks of every GGUF element type that is read, and the floats that they stand for.

Written from the description of the block types, element by element, apart from the engine's code. Needs Python 3 alone. Floats are computed in 64 bits and
rounded to 32 after every operation, which is what operations of 32 bits give.
"""

import json
import pathlib
import random
import struct

BLOCKS = 4
IQ4_NL = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
E2M1 = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def f16(data, at):
    return struct.unpack_from("<e", data, at)[0]


def nibble(data, first, i):
    """Element i of 32: the low halves of 16 bytes, then their high halves."""
    return data[first + i] % 16 if i < 16 else data[first + i - 16] // 16


def bit(data, first, i):
    return data[first + i // 8] >> (i % 8) & 1


def q4_0(b):
    d = f16(b, 0)
    return [f32((nibble(b, 2, i) - 8) * d) for i in range(32)]


def q4_1(b):
    d, m = f16(b, 0), f16(b, 2)
    return [f32(f32(nibble(b, 4, i) * d) + m) for i in range(32)]


def q5_0(b):
    d = f16(b, 0)
    return [f32((nibble(b, 6, i) + 16 * bit(b, 2, i) - 16) * d) for i in range(32)]


def q5_1(b):
    d, m = f16(b, 0), f16(b, 2)
    return [f32(f32((nibble(b, 8, i) + 16 * bit(b, 4, i)) * d) + m) for i in range(32)]


def q8_0(b):
    d = f16(b, 0)
    return [f32(struct.unpack_from("<b", b, 2 + i)[0] * d) for i in range(32)]


def six_bits(b, group):
    """Scale and least value of a group of Q4_K and Q5_K."""
    s = b[4:16]
    if group < 4:
        return s[group] % 64, s[group + 4] % 64
    return s[group + 4] % 16 + 16 * (s[group - 4] // 64), s[group + 4] // 16 + 16 * (s[group] // 64)


def k_quant(b, fifth, first):
    d, dmin = f16(b, 0), f16(b, 2)
    out = []
    for chunk in range(4):
        for part in range(2):
            scale, least = six_bits(b, 2 * chunk + part)
            for i in range(32):
                byte = b[first + 32 * chunk + i]
                q = byte // 16 if part else byte % 16
                if fifth:
                    q += 16 * (b[16 + i] >> (2 * chunk + part) & 1)
                out.append(f32(f32(f32(d * scale) * q) - f32(dmin * least)))
    return out


def q6_k(b):
    d = f16(b, 208)
    out = [0.0] * 256
    for half in range(2):
        ql, qh, sc = 64 * half, 128 + 32 * half, 192 + 8 * half
        for i in range(32):
            low, high, upper = b[ql + i], b[ql + 32 + i], b[qh + i]
            quants = [low % 16, high % 16, low // 16, high // 16]
            for run in range(4):
                q = quants[run] + 16 * (upper >> 2 * run & 3) - 32
                scale = struct.unpack_from("<b", b, sc + 2 * run + i // 16)[0]
                out[128 * half + 32 * run + i] = f32(f32(d * scale) * q)
    return out


def iq4_nl(b):
    d = f16(b, 0)
    return [f32(d * IQ4_NL[nibble(b, 2, i)]) for i in range(32)]


def mxfp4(b):
    scale = 2.0 ** (b[0] - 127)
    return [f32(scale * E2M1[n % 8] * (-1 if n >= 8 else 1)) for n in (nibble(b, 1, i) for i in range(32))]


TYPES = {
    "F32": (0, 1, 4, lambda b: [struct.unpack("<f", b)[0]]),
    "F16": (1, 1, 2, lambda b: [struct.unpack("<e", b)[0]]),
    "BF16": (30, 1, 2, lambda b: [struct.unpack("<f", b"\0\0" + b)[0]]),
    "Q4_0": (2, 32, 18, q4_0),
    "Q4_1": (3, 32, 20, q4_1),
    "Q5_0": (6, 32, 22, q5_0),
    "Q5_1": (7, 32, 24, q5_1),
    "Q8_0": (8, 32, 34, q8_0),
    "Q4_K": (12, 256, 144, lambda b: k_quant(b, False, 16)),
    "Q5_K": (13, 256, 176, lambda b: k_quant(b, True, 48)),
    "Q6_K": (14, 256, 210, q6_k),
    "IQ4_NL": (20, 32, 18, iq4_nl),
    "MXFP4": (39, 32, 17, mxfp4),
}
HALVES = {"F16": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0]}


def block(rng, name, size, index):
    data = bytearray(rng.randbytes(size))
    for at in HALVES.get(name, []):
        scale = rng.uniform(-1, 1) * (1e-6 if index == 1 else 0.05)  # One of them below the normal 16-bit floats.
        struct.pack_into("<e", data, at, scale)
    if name in ("F32", "BF16"):
        data[-1] = data[-1] & 0x80 | 0x3F
    if name == "MXFP4":
        data[0] = [127, 0, 1, 110][index]
    return bytes(data)


def main():
    rng = random.Random(20)
    out = {}
    for name, (number, elements, size, decode) in TYPES.items():
        blocks = [block(rng, name, size, i) for i in range(BLOCKS)]
        values = [value for b in blocks for value in decode(b)]
        bits = struct.pack(f"<{len(values)}f", *values)
        out[name] = {"number": number, "block_elements": elements, "blocks": b"".join(blocks).hex(), "floats": bits.hex()}
    path = pathlib.Path(__file__).resolve().parents[2] / "tests" / "Golden" / "gguf" / "blocks.json"
    path.write_text(json.dumps(out, indent=1) + "\n")
    print(f"{len(out)} types, {BLOCKS} blocks each: {path}")


main()
