"""A chat with an exported model folder, greedy, with its keys and values kept between turns. `chat.py FOLDER` talks at the terminal."""

import json
import sys
from pathlib import Path

import torch
from torch import Tensor

import safetensors
from model import Config, Llama
from tokenizer import IM_END, IM_START, Tokenizer

MOST_ANSWER_TOKENS = 100


class Chatter:
    """The weights as exported, rounded to bfloat16, computed in float32."""

    def __init__(self, folder: Path):
        stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.tokenizer = Tokenizer.load(folder)
        self.model = Llama(Config(
            vocabulary=stated["vocab_size"], hidden=stated["hidden_size"], intermediate=stated["intermediate_size"], layers=stated["num_hidden_layers"], heads=stated["num_attention_heads"],
            kv_heads=stated["num_key_value_heads"], rope_theta=stated["rope_theta"], norm_eps=stated["rms_norm_eps"], max_positions=stated["max_position_embeddings"]))
        self.model.load_state_dict(safetensors.load_model(folder))
        self.end = self.tokenizer.vocabulary[IM_END]


class Chat:
    """One conversation. Messages that are read or answered are never computed again."""

    def __init__(self, chatter: Chatter):
        self.chatter = chatter
        self.past: list[list[Tensor]] = [[] for _ in chatter.model.layers]
        self.tokens = 0

    @torch.no_grad()
    def _compute(self, ids: list[int]) -> Tensor:
        mask = None
        if len(ids) > 1:
            mask = torch.full((len(ids), self.tokens + len(ids)), float("-inf")).triu(self.tokens + 1)
        hidden = self.chatter.model.hidden_states(torch.tensor([ids]), mask, self.past)
        self.tokens += len(ids)
        return hidden[0, -1]

    def read(self, role: str, text: str) -> None:
        self._compute(self.chatter.tokenizer.encode(f"{IM_START}{role}\n{text}{IM_END}\n"))

    def answer(self) -> str:
        hidden = self._compute(self.chatter.tokenizer.encode(f"{IM_START}assistant\n"))
        answer: list[int] = []
        while len(answer) < MOST_ANSWER_TOKENS:
            token = int(self.chatter.model.logits(hidden).argmax())
            if token == self.chatter.end:
                break
            answer.append(token)
            hidden = self._compute([token])
        self._compute(self.chatter.tokenizer.encode(f"{IM_END}\n"))
        return self.chatter.tokenizer.decode(answer)

    def say(self, text: str) -> str:
        self.read("user", text)
        return self.answer()


def main() -> None:
    chat = Chat(Chatter(Path(sys.argv[1])))
    for line in sys.stdin:
        print(chat.say(line.strip()), flush=True)


if __name__ == "__main__":
    main()
