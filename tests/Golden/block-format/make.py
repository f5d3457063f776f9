"""Writes the committed records of block format 2, from docs/block-format.md alone: python3 make.py (needs the package cryptography)"""
import hashlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LAYERS, KV_HEADS, HEAD_DIM, BLOCK_SIZE, TOKENS_PER_SCALE = 2, 1, 16, 16, 4
TOKENS = list(range(1, BLOCK_SIZE + 1))
SECRET = bytes(range(32))
SALT = bytes(range(100, 116))
COUNTER = 7


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def block_hash(formats):
    layout = struct.pack("<5i", LAYERS, KV_HEADS, HEAD_DIM, BLOCK_SIZE, formats)
    root = hashlib.sha256(struct.pack("<ii", 1, 5) + b"model" + layout + struct.pack("<i", 0)).digest()
    return hashlib.sha256(root + struct.pack(f"<{len(TOKENS)}i", *TOKENS)).digest()


def float8(value):
    sign, value = (0x80, -value) if value < 0 else (0, value)
    return sign | next(code for code in range(127) if decode8(code) == value)


def decode8(code):
    exponent, mantissa = code >> 3, code & 7
    return mantissa / 512 if exponent == 0 else (1 + mantissa / 8) * 2.0 ** (exponent - 7)


def bfloat16(value):
    return struct.pack("<f", value)[2:]


# Every value is a code times a power of two, so no encoding has anything to round; element 0 has the largest code.
def code(encoding, layer, kind, token, dimension):
    n = layer * 1000 + kind * 500 + token * 16 + dimension
    if encoding == "int4":
        return 7 if dimension == 0 else n * 37 % 15 - 7
    if encoding == "fp8":
        value = 448.0 if dimension == 0 else decode8(n * 37 % 127)
        return -value if n % 2 and value else value
    return 127 if dimension == 0 else n * 37 % 255 - 127


def scale(encoding, token):
    return 2.0 ** -(token // TOKENS_PER_SCALE) if encoding in ("fp8", "int8", "int4") else 0.5


def payload(encoding):
    out = b""
    for layer in range(LAYERS):
        for kind in range(2):
            order = [(t, d) for d in range(HEAD_DIM) for t in range(BLOCK_SIZE)] if kind == 0 else \
                [(t, d) for t in range(BLOCK_SIZE) for d in range(HEAD_DIM)]
            codes = [code(encoding, layer, kind, t, d) for t, d in order]
            if encoding == "hot":
                out += b"".join(struct.pack("<f", c * scale(encoding, t)) for c, (t, _) in zip(codes, order))
            elif encoding == "bf16":
                out += b"".join(bfloat16(c * scale(encoding, t)) for c, (t, _) in zip(codes, order))
            else:
                out += b"".join(bfloat16(scale(encoding, t)) for t in range(0, BLOCK_SIZE, TOKENS_PER_SCALE))
                for i in range(0, len(codes), 16):
                    group = codes[i:i + 16]
                    if encoding == "fp8":
                        out += bytes(float8(c) for c in group)
                    elif encoding == "int8":
                        out += struct.pack("<16b", *group)
                    else:
                        out += bytes(group[j] + 8 | group[j + 8] + 8 << 4 for j in range(8))
    return out


def derive(purpose, salt):
    return HKDF(hashes.SHA256(), 32, salt, purpose).derive(SECRET)


def record(number, encoding, protection):
    data = payload(encoding)
    fingerprint = hashlib.sha256(struct.pack("<5i", LAYERS, KV_HEADS, HEAD_DIM, BLOCK_SIZE, 0)).digest()[:8]
    header = b"KVTB" + struct.pack("<HBB", 2, number, TOKENS_PER_SCALE if number >= 2 else 0)
    header += struct.pack("<ii", len(TOKENS), len(data)) + block_hash(0) + fingerprint
    header += struct.pack("<qqii", 123456789, 1893456000000, 3, 42)
    if protection:
        header += struct.pack("<I", protection) + derive(b"KvTiers key id", None)[:4] + SALT + struct.pack("<q", COUNTER)
    header = header.ljust(120, b"\0") + struct.pack("<I", 0 if protection else crc32c(data))
    header += struct.pack("<I", crc32c(header))
    if protection:
        cipher = AESGCM(derive(b"KvTiers block record 2", SALT))
        nonce = struct.pack("<qi", COUNTER, 1)
        if protection == 2:
            sealed = cipher.encrypt(nonce, data, None)
            data, tag = sealed[:-16], sealed[-16:]
        else:
            tag = cipher.encrypt(nonce, b"", data)
        header += tag
        header += cipher.encrypt(struct.pack("<qi", COUNTER, 2), b"", header)
    whole = header.ljust(512, b"\0") + data
    return whole.ljust(-(-len(whole) // 512) * 512, b"\0")


for number, encoding in enumerate(["hot", "bf16", "fp8", "int8", "int4"]):
    for protection, suffix in enumerate(["", "-authentic", "-encrypted"]):
        if protection == 0 or encoding in ("hot", "int8"):
            with open(f"v2-{encoding}{suffix}.kvb", "wb") as file:
                file.write(record(number, encoding, protection))
