"""People type sloppily: lower case, all capitals, no punctuation, no apostrophes, typos. Values that must be recalled stay as typed."""

import random
import re

_SHORTHAND = {"you": "u", "are": "r", "please": "pls", "your": "ur", "because": "cuz", "what": "wat", "want": "wanna", "okay": "k", "and": "n"}


def _typo(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    kind = rng.random()
    if kind < 0.35:
        return word[:place] + word[place + 1:]
    if kind < 0.65:
        return word[:place] + word[place + 1] + word[place] + word[place + 2:]
    if kind < 0.85:
        return word[:place] + word[place] + word[place:]
    return word[:place] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[place + 1:]


class Typist:
    """One user's habits, kept for a whole dialogue."""

    def __init__(self, rng: random.Random, tidy: bool = False):
        self.rng = rng
        sloppy = 0.0 if tidy else 1.0
        self.lower = rng.random() < 0.33 * sloppy
        self.upper = not self.lower and rng.random() < 0.02 * sloppy
        self.drops_stop = rng.random() < 0.4 * sloppy
        self.drops_apostrophe = rng.random() < (0.5 if self.lower else 0.06) * sloppy
        self.typos = rng.choice((0, 0, 0, 0.03, 0.08)) * sloppy
        self.shorthand = 0.3 if self.lower and rng.random() < 0.15 else 0.0

    def value(self, value: str) -> str:
        """How this user writes a value. It is decided once, so that the answer can repeat it letter for letter."""
        return value.lower() if self.lower else value.upper() if self.upper else value

    def sentence(self, text: str, stop: str, keep: tuple[str, ...] = ()) -> str:
        """A clause as this user types it, ending in `stop` or in nothing. Words of `keep` get no typos."""
        kept = {part for value in keep for part in re.findall(r"\w+", value.lower())}
        text = text[0].upper() + text[1:] if not self.lower else text.lower()
        if self.drops_apostrophe:
            text = re.sub(r"(\w)'(m|s|ll|d|re|ve|t)\b", r"\1\2", text)
        if self.typos or self.shorthand:
            text = re.sub(r"[A-Za-z]+", lambda match: self._word(match.group(), kept), text)
        if self.upper:
            text = text.upper()
        if text[-1] not in "?!.":
            text += "" if self.drops_stop else stop
        return text

    def _word(self, word: str, kept: set[str]) -> str:
        if word.lower() in kept:
            return word
        if self.rng.random() < self.shorthand:
            return _SHORTHAND.get(word, word)
        if len(word) > 3 and self.rng.random() < self.typos:
            return _typo(word, self.rng)
        return word
