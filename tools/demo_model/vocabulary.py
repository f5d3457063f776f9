"""Word lists, invented words, and the rule that keeps training and held-out values apart."""

import random
import zlib
from pathlib import Path

DATA = Path(__file__).parent / "data"


def is_held_out(value: str) -> bool:
    """One value in eight belongs to evaluation only. The value alone decides, so no list of either side is kept."""
    return zlib.crc32(b"kvtiers:" + value.lower().encode()) % 8 == 0


def read_sections(name: str) -> dict[str, list[str]]:
    """Reads `[section]` headers, each followed by lines of values parted by `|`."""
    sections: dict[str, list[str]] = {}
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        elif line:
            current.extend(line.split("|"))
    return sections


FIRST_NAMES = (DATA / "first_names.txt").read_text(encoding="utf-8").split()
CITIES = (DATA / "cities.txt").read_text(encoding="utf-8").strip().split("|")
WORDS = read_sections("words.txt")

_ONSETS = "b br c ch cl d dr f fl g gr h j k kl kr l m n p ph pl qu r s sh sk sl st t th tr v w y z".split()
_VOWELS = "a e i o u a e i o u ai ea ee ia io oa oo ou y".split()
_CODAS = ["", "", "", "", "l", "n", "r", "s", "m", "k", "t", "x", "nd", "rn", "sh", "th", "v", "lt", "ck", "ss"]


class Words:
    """Draws values from one side of the split: what training uses, or what only evaluation uses."""

    def __init__(self, rng: random.Random, held_out: bool):
        self.rng = rng
        self.held_out = held_out

    def allowed(self, value: str) -> bool:
        return is_held_out(value) == self.held_out

    def invented(self) -> str:
        while True:
            syllables = self.rng.choice((2, 2, 2, 3, 3, 1))
            word = "".join(self.rng.choice(_ONSETS) + self.rng.choice(_VOWELS) for _ in range(syllables))
            if self.rng.random() < 0.15:
                word = word[1:] if word[1:2].isalpha() else word
            word += self.rng.choice(_CODAS)
            if len(word) > 2 and self.allowed(word):
                return word

    def _open(self, values: list[str], invented_share: float) -> str:
        """A value from the list, or an invented one."""
        if self.rng.random() < invented_share:
            return self.invented().capitalize()
        while True:
            value = self.rng.choice(values)
            if self.allowed(value):
                return value

    def first_name(self) -> str:
        return self._open(FIRST_NAMES, 0.45)

    def full_name(self) -> str:
        name = self.first_name()
        return f"{name} {self.invented().capitalize()}" if self.rng.random() < 0.08 else name

    def city(self) -> str:
        return self._open(CITIES, 0.4)

    def pet_name(self) -> str:
        if self.rng.random() < 0.3:
            return self.first_name()
        return self._open(WORDS["pet names"], 0.4)

    def title(self) -> str:
        """A name for a boat, a company, a street: one or two words."""
        first = self._open(WORDS["pet names"], 0.6)
        if self.rng.random() < 0.2:
            return first + " " + self.rng.choice(WORDS["plain words"]).capitalize()
        return first

    def any_of(self, section: str, invented_share: float = 0.0) -> str:
        """A value of a closed list (colours, months, …), which both sides share, or an invented one."""
        if self.rng.random() < invented_share:
            return self.invented()
        return self.rng.choice(WORDS[section])

    def digits(self, low: int, high: int) -> str:
        while True:
            value = "".join(self.rng.choice("0123456789") for _ in range(self.rng.randint(low, high)))
            if value[0] != "0" and self.allowed(value):
                return value


def with_article(noun: str) -> str:
    return ("an " if noun[0].lower() in "aeiou" else "a ") + noun
