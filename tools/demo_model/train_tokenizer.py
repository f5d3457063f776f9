"""Trains the tokenizer on generated dialogues: `train_tokenizer.py OUT_FOLDER`."""

import sys
from pathlib import Path

from dialogues import Style, draw_dialogue
from tokenizer import SPECIAL, Tokenizer, train_merges

VOCABULARY_SIZE = 1280
DIALOGUES = 12_000


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    style = Style(system_share=0.3, system_sentences=(1, 12))
    texts = [f"{message.role}\n{message.text}" for seed in range(DIALOGUES) for message in draw_dialogue(f"tokenizer {seed}", style)]
    Tokenizer(train_merges(texts, VOCABULARY_SIZE - len(SPECIAL) - 256)).save(folder)


if __name__ == "__main__":
    main()
