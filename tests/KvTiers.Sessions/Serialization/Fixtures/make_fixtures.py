"""Writes messagepack.json beside this file with python3-msgpack (Debian), an implementation independent of the project's own.

Run once, when fixtures are added:  python3 make_fixtures.py
"""
import json
import pathlib
import msgpack

INTS = [0, 1, 31, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1,
        -1, -32, -33, -127, -128, -129, -32768, -32769, -2**31, -2**31 - 1, -2**63]
DOUBLES = [0.0, -0.0, 1.5, -2.25, 1e300, 5e-324, float("inf"), float("-inf")]
STRINGS = ["", "a", "é", "日本語", "😀"]
REPEATS = [31, 32, 255, 256, 65535, 65536]
BYTE_COUNTS = [0, 1, 255, 256, 65535, 65536]
COUNTS = [0, 1, 15, 16, 65535, 65536]

values = []
values += [{"kind": "int", "value": str(v), "hex": msgpack.packb(v).hex()} for v in INTS]
values += [{"kind": "double", "value": repr(v), "hex": msgpack.packb(v).hex()} for v in DOUBLES]
# Long texts and arrays are given by their first bytes and total length.
values += [{"kind": "string", "value": v, "hex": msgpack.packb(v).hex()[:80], "length": len(msgpack.packb(v))} for v in STRINGS]
values += [{"kind": "repeat", "value": str(n), "hex": msgpack.packb("x" * n).hex()[:80], "length": len(msgpack.packb("x" * n))} for n in REPEATS]
values += [{"kind": "bytes", "value": str(n), "hex": msgpack.packb(b"\xab" * n).hex()[:80], "length": len(msgpack.packb(b"\xab" * n))} for n in BYTE_COUNTS]
values += [{"kind": "array", "value": str(n), "hex": msgpack.packb([7] * n).hex()[:80], "length": len(msgpack.packb([7] * n))} for n in COUNTS]
values += [{"kind": "map", "value": str(n), "hex": msgpack.packb({i: 7 for i in range(n)}).hex()[:80],
            "length": len(msgpack.packb({i: 7 for i in range(n)}))} for n in COUNTS]

TICKS = 638000000000000000
INCARNATION = bytes(range(16))
TRACE = {"version": 3, "host": "h", "reason": "Edited", "prompt": 40, "cached": 21, "left": 47, "ttft_ms": 12.5, "cost": 9,
         "difference": {"message": 1, "role": "user", "token": 21, "character": 4, "old": "old…", "new": "new…"}}
created = {"at": TICKS, "kind": "created", "incarnation": INCARNATION, "model": "demo", "vocabulary": "0011",
           "forked_from": "base", "messages": [["system", "Be kind. 😀", [1, 2, 300]], ["user", "", []]]}
log = {"at": TICKS + 1, "kind": "log", "keep": 1, "add": [["assistant", "é", [70000, 5]], 1], "turn": TRACE}
state = {"tenant": "t", "id": "c", "incarnation": INCARNATION, "version": 4, "model": "demo", "vocabulary": "0011", "created": TICKS,
         "updated": TICKS + 2, "pinned_until": TICKS + 3,
         "messages": [["user", "a", [1]], ["assistant", "b", [2, 3]], ["user", "c", [4]]],
         "log": [0, 1], "undo": [[], [0, 2]], "turn": TRACE, "turn_log": [0, 1]}
fixtures = {
    "values": values,
    "created": msgpack.packb(created).hex(),
    "log": msgpack.packb(log).hex(),
    "undone": msgpack.packb({"at": TICKS, "kind": "undone"}).hex(),
    "pin": msgpack.packb({"at": TICKS, "kind": "pin", "until": TICKS + 5}).hex(),
    "unpin": msgpack.packb({"at": TICKS, "kind": "pin"}).hex(),
    "state": msgpack.packb(state).hex(),
    # What a later version may write: a field unknown now, of every kind of value.
    "undone_with_more": msgpack.packb({"new": [None, True, {"a": [1.5, b"x", -7]}, "s"], "kind": "undone", "at": TICKS}).hex(),
}
path = pathlib.Path(__file__).with_name("messagepack.json")
path.write_text(json.dumps(fixtures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
