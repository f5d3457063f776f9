"""Byte-level BPE as Hugging Face's tokenizer.json means it: GPT-2's splitting pattern, GPT-2's byte alphabet, merges by rank."""

import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

END_OF_TEXT, IM_START, IM_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL = [END_OF_TEXT, IM_START, IM_END]
CHAT_TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def _character_class(category: str) -> str:
    """The body of a regular-expression class for a Unicode major category; Python's `re` has no \\p{L}."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == category:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


@lru_cache(maxsize=1)
def pattern() -> re.Pattern[str]:
    """GPT-2's pattern: 's|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+, with Unicode's White_Space as \\s."""
    letter, number = _character_class("L"), _character_class("N")
    space = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
    return re.compile(f"'s|'t|'re|'ve|'m|'ll|'d| ?[{letter}]+| ?[{number}]+| ?[^{space}{letter}{number}]+|[{space}]+(?![^{space}])|[{space}]+")


@lru_cache(maxsize=1)
def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-in for each byte."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {byte: chr(byte) for byte in printable} | {byte: chr(256 + index) for index, byte in enumerate(others)}
    return [alphabet[byte] for byte in range(256)]


def _spell(piece: str) -> tuple[str, ...]:
    return tuple(byte_alphabet()[byte] for byte in piece.encode("utf-8"))


def train_merges(texts: list[str], count: int) -> list[tuple[str, str]]:
    """Repeatedly joins the most frequent pair of neighbours; equal counts are decided by the pair's text."""
    words = Counter(piece for text in texts for piece in pattern().findall(text))
    spelled = [list(_spell(word)) for word in words]
    counts = list(words.values())
    pairs: Counter[tuple[str, str]] = Counter()
    places: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for index, symbols in enumerate(spelled):
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] += counts[index]
            places[pair].add(index)
    merges = []
    while len(merges) < count and pairs:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for index in list(places[best]):
            symbols = spelled[index]
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] -= counts[index]
            spelled[index] = symbols = _join(symbols, best)
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[index]
                places[pair].add(index)
        del pairs[best]
    return merges


def _join(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    joined, index = [], 0
    while index < len(symbols):
        if index + 1 < len(symbols) and (symbols[index], symbols[index + 1]) == pair:
            joined.append(symbols[index] + symbols[index + 1])
            index += 2
        else:
            joined.append(symbols[index])
            index += 1
    return joined


class Tokenizer:
    """Special tokens first, then the 256 bytes, then one token per merge."""

    def __init__(self, merges: list[tuple[str, str]]):
        self.merges = merges
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        tokens = SPECIAL + byte_alphabet() + ["".join(pair) for pair in merges]
        self.vocabulary = {token: index for index, token in enumerate(tokens)}
        self.tokens = tokens
        self._cache: dict[str, list[int]] = {}
        self._bytes = {letter: byte for byte, letter in enumerate(byte_alphabet())}
        self._special = re.compile("(" + "|".join(map(re.escape, SPECIAL)) + ")")

    def _encode_piece(self, piece: str) -> list[int]:
        symbols = list(_spell(piece))
        while len(symbols) > 1:
            best = min(zip(symbols, symbols[1:]), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
            if best not in self.ranks:
                break
            symbols = _join(symbols, best)
        return [self.vocabulary[symbol] for symbol in symbols]

    def encode_text(self, text: str) -> list[int]:
        """Text without special tokens."""
        ids: list[int] = []
        for piece in pattern().findall(text):
            known = self._cache.get(piece)
            if known is None:
                known = self._encode_piece(piece)
                if len(self._cache) < 200_000:
                    self._cache[piece] = known
            ids.extend(known)
        return ids

    def encode(self, text: str) -> list[int]:
        """Text in which special tokens stand for themselves."""
        ids: list[int] = []
        for part in self._special.split(text):
            ids.extend([self.vocabulary[part]] if part in SPECIAL else self.encode_text(part))
        return ids

    def decode(self, ids: list[int]) -> str:
        data = bytearray()
        for index in ids:
            token = self.tokens[index]
            data += token.encode() if token in SPECIAL else bytes(self._bytes[letter] for letter in token)
        return data.decode("utf-8", errors="replace")

    def encode_chat(self, messages: list[tuple[str, str]], generate: bool = True) -> list[int]:
        text = "".join(f"{IM_START}{role}\n{content}{IM_END}\n" for role, content in messages)
        return self.encode(text + (f"{IM_START}assistant\n" if generate else ""))

    def save(self, folder: Path) -> None:
        added = [{"id": index, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for index, token in enumerate(SPECIAL)]
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        model = {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
            "ignore_merges": False, "vocab": self.vocabulary, "merges": [f"{left} {right}" for left, right in self.merges],
        }
        document = {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None, "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
            "model": model,
        }
        _write(folder / "tokenizer.json", document)
        _write(folder / "tokenizer_config.json", {
            "add_prefix_space": False, "added_tokens_decoder": {str(entry["id"]): {key: value for key, value in entry.items() if key != "id"} for entry in added},
            "bos_token": IM_START, "eos_token": IM_END, "pad_token": END_OF_TEXT, "unk_token": END_OF_TEXT, "chat_template": CHAT_TEMPLATE, "clean_up_tokenization_spaces": False,
            "model_max_length": 2048, "tokenizer_class": "GPT2Tokenizer",
        })

    @staticmethod
    def load(folder: Path) -> "Tokenizer":
        document = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        return Tokenizer([tuple(merge.split(" ")) for merge in document["model"]["merges"]])


def _write(path: Path, document: dict) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
