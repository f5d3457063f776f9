"""Measures recall on dialogues whose names and seeds training never saw: `evaluate.py --model FOLDER`.

The user's messages are drawn, the assistant's are the model's own, greedy. An answer is right when it holds the asked value as the
user wrote it (upper and lower case count as one) and, after an edit or a correction, does not hold the old one.
"""

import argparse
from pathlib import Path
from typing import Callable

import torch

import examination
from chat import Chat, Chatter
from dialogues import Message
from examination import Question


def play(messages: list[Message], chatter: Chatter) -> tuple[list[Message], int]:
    """The messages with an answer behind each of the user's that has none yet, and the tokens of all."""
    chat, played = Chat(chatter), []
    for message, following in zip(messages, [*messages[1:], None]):
        chat.read(message.role, message.text)
        played.append(message)
        if message.role == "user" and (following is None or following.role != "assistant"):
            played.append(Message("assistant", chat.answer()))
    return played, chat.tokens


def judge(question: Question, chatter: Chatter) -> tuple[bool, list[Message], int]:
    messages = question.messages
    if (edit := question.edit) is not None:
        edited = messages[edit.index]
        if edit.drop_later:
            messages = messages[:edit.index + 1]
        else:
            messages, _ = play(messages, chatter)
        messages = [Message("user", edit.text) if message is edited else message for message in messages]
    played, tokens = play([*messages, Message("user", question.asked)], chatter)
    return is_right(played[-1].text.lower(), question), played, tokens


def is_right(answer: str, question: Question) -> bool:
    wanted, barred = question.wanted.lower(), (question.barred or "").lower()
    return wanted in answer and not (barred and barred not in wanted and barred in answer)


MEASURES: dict[str, Callable[[str], Question]] = {
    "recall": examination.recall,
    "recall, typed tidily": lambda seed: examination.recall(seed, tidy=True),
    "recall in long dialogues": lambda seed: examination.recall(seed, examination.LONG, turns=(8, 16)),
    "edit, later messages dropped": lambda seed: examination.edit(seed, drop_later=True),
    "edit, later messages kept": lambda seed: examination.edit(seed, drop_later=False),
    "correction": examination.correction,
    "never told": examination.never_told,
}


def measure(name: str, questions: list[Question], chatter: Chatter, show_failures: bool) -> None:
    right, lengths = 0, []
    for question in questions:
        good, played, tokens = judge(question, chatter)
        right += good
        lengths.append(tokens)
        if not good and show_failures:
            print("\n".join(f"    {message.role}: {message.text}" for message in played), f"\n    wanted: {question.wanted}\n")
    print(f"{name}: {right} of {len(questions)} = {100 * right / len(questions):.1f} %, {sum(lengths) / len(lengths):.0f} tokens on average, {max(lengths)} at most", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dialogues", type=int, default=200, help="for each measure")
    parser.add_argument("--seed", default="evaluation")
    parser.add_argument("--failures", action="store_true", help="print the dialogues that failed")
    parser.add_argument("--only", default="", help="the measures whose name holds this")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chatter = Chatter(options.model)
    for name, draw in MEASURES.items():
        if options.only in name:
            measure(name, [draw(f"{options.seed} {name} {number}") for number in range(options.dialogues)], chatter, options.failures)
    if options.only in "fixed examples":
        measure("fixed examples", examination.FIXED, chatter, True)


if __name__ == "__main__":
    main()
