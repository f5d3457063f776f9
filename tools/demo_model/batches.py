"""Packs dialogues into rows of tokens, with what may be attended to and what is learned."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dialogues import Message, Style, draw_dialogue
from tokenizer import IM_END, IM_START, Tokenizer


@dataclass(frozen=True)
class Batch:
    """ids, targets, learn: [rows, tokens]. mask: [rows, 1, 1, tokens, tokens], 0 within a dialogue's past and -inf elsewhere."""

    ids: Tensor
    targets: Tensor
    learn: Tensor
    mask: Tensor


def encode(messages: list[Message], tokenizer: Tokenizer) -> tuple[list[int], list[bool]]:
    """Token ids and, for each, whether the loss reads it: the assistant's text and the <|im_end|> behind it."""
    ids: list[int] = []
    learn: list[bool] = []
    for message in messages:
        head = tokenizer.encode(f"{IM_START}{message.role}\n")
        body = tokenizer.encode_text(message.text) + [tokenizer.vocabulary[IM_END]]
        tail = tokenizer.encode_text("\n")
        ids += head + body + tail
        learn += [False] * len(head) + [message.learn] * len(body) + [False] * len(tail)
    return ids, learn


class Packer:
    """An endless stream of batches. Every dialogue's seed is its number, so the stream can be resumed."""

    def __init__(self, tokenizer: Tokenizer, next_dialogue: int):
        self.tokenizer = tokenizer
        self.next_dialogue = next_dialogue

    def row(self, styles: list[Style], length: int) -> tuple[list[int], list[bool], list[int]]:
        ids: list[int] = []
        learn: list[bool] = []
        document: list[int] = []
        while len(ids) < length + 1:
            number = self.next_dialogue
            self.next_dialogue += 1
            dialogue_ids, dialogue_learn = encode(draw_dialogue(f"train {number}", styles[number % len(styles)]), self.tokenizer)
            ids += dialogue_ids
            learn += dialogue_learn
            document += [number] * len(dialogue_ids)
        return ids[:length + 1], learn[:length + 1], document[:length + 1]

    def batch(self, styles: list[Style], rows: int, length: int) -> Batch:
        packed = [self.row(styles, length) for _ in range(rows)]
        ids, learn, document = (torch.tensor([row[part] for row in packed]) for part in range(3))
        same = document[:, :-1, None] == document[:, None, :-1]
        visible = same & torch.ones(length, length, dtype=torch.bool).tril()
        mask = torch.zeros(visible.shape).masked_fill_(~visible, float("-inf"))
        crosses = document[:, 1:] != document[:, :-1]
        return Batch(ids[:, :-1], ids[:, 1:], learn[:, 1:] & ~crosses, mask[:, None, None])
