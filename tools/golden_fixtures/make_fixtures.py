"""Makes the folders of tests/Golden/fixtures: small random models in Hugging Face's format, prompts, and the logits they must give.

Logits are computed in float64 from what was written, read back from the files, and stored in float32.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

import cases
import gemma
import gpt2
import granite
import llama
import mixtral
import neox
import olmo
import phi3
import qwen3
import smollm3
import stablelm
import tensor_files
import weights

# The demo model's own tokenizer, for the prompts of its case.
sys.path.append(str(Path(__file__).resolve().parents[1] / "demo_model"))
from tokenizer import Tokenizer

DEMO = "demo"
LISBON = [("user", "My name is Marta and I live in Lisbon."), ("assistant", "Nice to meet you, Marta! Lisbon sounds lovely.")]
COFFEE = [("user", "I'd like 2 coffees and a bagel."), ("assistant", "Noted: 2 coffees and a bagel.")]
DEMO_CHATS = [
    [("user", "Hello!")],
    [("user", "What is a KV cache?")],
    [*LISBON, ("user", "What is my name?")],
    [("system", "You are a helpful assistant."), *LISBON, *COFFEE, ("user", "where do i live")],
]
DEMO_POSITIONS = 8
"""The last positions of a chat, whose logits are stored: the demo model's vocabulary is large."""
FAMILIES = {
    "gemma2": gemma,
    "gemma3": gemma,
    "gemma3_text": gemma,
    "gpt2": gpt2,
    "gpt_neox": neox,
    "granite": granite,
    "mixtral": mixtral,
    "olmo2": olmo,
    "olmoe": olmo,
    "phi3": phi3,
    "qwen3": qwen3,
    "qwen3_moe": qwen3,
    "smollm3": smollm3,
    "stablelm": stablelm,
}
"""Those that are not computed as Llama is."""
LEAST_DIFFERENCE = 0.02
"""Of some logit when the configuration is misread: a hundred times the tolerance of the tests."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="the folder of the fixtures, such as tests/Golden/fixtures")
    parser.add_argument("--only", metavar="CASE", help="make only this case")
    parser.add_argument("--demo", type=Path, metavar="MODEL", help="make only the case demo, whose weights are those of this folder")
    arguments = parser.parse_args()
    if arguments.demo is not None:
        make_demo(arguments.output / DEMO, arguments.demo)
    else:
        for case in cases.CASES:
            if arguments.only in (None, case.name):
                make_case(arguments.output / case.name, case)


def make_case(folder: Path, case: cases.Case) -> None:
    empty(folder)
    write_json(folder / "config.json", case.config)
    tensors = weights.weights(case)
    if case.shards == 1:
        tensor_files.write_tensors(folder / tensor_files.SINGLE, tensors)
    else:
        tensor_files.write_shards(folder, cases.shards(case, tensors))
    forward, misread = model(folder), model(folder, **case.misread)
    prompts = cases.prompts(case)
    write_expectation(folder, forward, prompts, [start for _, start in cases.PROMPTS])
    difference = max((forward(ids) - misread(ids)).abs().max().item() for ids in prompts)
    print(f"{case.name}: {kibibytes(folder)} KiB; with {json.dumps(case.misread)} a logit would differ by {difference:.2g}")
    if difference < LEAST_DIFFERENCE:
        raise SystemExit(f"{case.name} would hardly show {case.misread}")


def make_demo(folder: Path, source: Path) -> None:
    empty(folder)
    tokenizer = Tokenizer.load(source)
    prompts = [tokenizer.encode_chat(chat) for chat in DEMO_CHATS]
    write_expectation(folder, model(source), prompts, [len(prompt) - DEMO_POSITIONS for prompt in prompts])
    print(f"{DEMO}: {kibibytes(folder)} KiB")


def model(folder: Path, **changes: object) -> Callable[[list[int]], Tensor]:
    """The model of a folder, with properties of its configuration changed: token ids to logits [positions, vocabulary]."""
    config = read_json(folder / "config.json") | changes
    tensors = tensor_files.read_folder(folder)
    family = FAMILIES.get(config["model_type"], llama)
    return lambda ids: family.logits(config, tensors, ids)


def write_expectation(folder: Path, forward: Callable[[list[int]], Tensor], prompts: list[list[int]], starts: list[int]) -> None:
    expected = {f"logits.{i}": forward(ids)[start:].float() for i, (ids, start) in enumerate(zip(prompts, starts))}
    write_json(folder / "input.json", {"prompts": prompts, "from": starts})
    tensor_files.write_tensors(folder / "logits.safetensors", expected)


def empty(folder: Path) -> None:
    """A folder without what an earlier run left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def kibibytes(folder: Path) -> int:
    return round(sum(file.stat().st_size for file in folder.iterdir()) / 1024)


def read_json(path: Path) -> dict:
    return json.loads(path.read_text())


def write_json(path: Path, value: dict) -> None:
    """One property a line, each on one line."""
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(item)}" for name, item in value.items())
    path.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
