"""Trains the demo model: `train.py --tokenizer FOLDER --run FOLDER`. Stops and resumes at any checkpoint."""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional as F

import safetensors
from batches import Packer
from dialogues import Style
from model import Config, Llama
from muon import Muon
from tokenizer import Tokenizer

TOKENS_PER_STEP = 4096
DIALOGUES_PER_STEP = 100   # more than a step reads: weights that go on from a later step meet new dialogues
MUON_RATE, ADAM_RATE = 0.02, 0.003
WARM_UP_STEPS = 30
AVERAGE = 0.99


@dataclass(frozen=True)
class Phase:
    """Steps of one context length. The rate falls linearly from the first to the second of `rates` (shares of the peak)."""

    steps: int
    context: int
    styles: list[Style]
    rates: tuple[float, float] = (1.0, 1.0)


_RECALL = Style(tell=5, ask=7, topic=0.5, small_talk=0.8, ask_unknown=0.7, turns=(2, 5), system_share=0.15, system_sentences=(1, 2))
_SHORT = Style(turns=(2, 7), system_share=0.3)
_TALK = Style(tell=1.5, ask=2.5, topic=3, small_talk=4, turns=(2, 6), system_share=0.3)
_MEDIUM = Style(turns=(5, 15), system_sentences=(1, 8))
_LONG = Style(turns=(12, 30), system_sentences=(1, 25), ask=6, tell=2.5)
_LONG_SYSTEM = Style(turns=(3, 12), system_share=1.0, system_sentences=(8, 40), ask=6)
_EDIT = Style(tell=5, ask=7, ask_unknown=1.5, topic=0.6, small_talk=0.8, fallback=0.3, edited=0.7, turns=(4, 10), system_share=0.25)
_EXAM = Style(tell=5, ask=9, ask_unknown=3, correct=1.0, overview=0.7, topic=0.8, small_talk=0.8, turns=(4, 9), system_share=0.3)
_ABSENT = Style(tell=4, ask=5, ask_unknown=8, topic=0.6, small_talk=1.0, turns=(2, 6), system_share=0.3)

PHASES = [
    Phase(1100, 256, [_RECALL, _RECALL, _SHORT, _SHORT, _TALK]),
    Phase(900, 512, [_RECALL, _SHORT, _TALK, _MEDIUM, _EXAM, _EXAM, _EDIT, _EDIT]),
    Phase(300, 512, [_RECALL, _ABSENT, _ABSENT, _TALK, _MEDIUM, _MEDIUM, _EXAM, _EDIT], (1.0, 0.7)),
    Phase(400, 1024, [_EXAM, _ABSENT, _TALK, _MEDIUM, _LONG, _LONG, _LONG_SYSTEM, _EDIT], (0.7, 0.0)),
    Phase(900, 512, [_RECALL, _EXAM, _EXAM, _ABSENT, _TALK, _MEDIUM, _EDIT, _EDIT, _EDIT], (0.8, 0.7)),
    Phase(500, 1024, [_EXAM, _EXAM, _ABSENT, _TALK, _MEDIUM, _LONG, _LONG_SYSTEM, _EDIT, _EDIT], (0.7, 0.0)),
    Phase(3000, 512, [_RECALL, _EXAM, _EXAM, _ABSENT, _TALK, _MEDIUM, _EDIT, _EDIT], (0.9, 0.675)),
    Phase(1400, 1024, [_RECALL, _EXAM, _EXAM, _ABSENT, _TALK, _MEDIUM, _LONG, _LONG_SYSTEM, _EDIT, _EDIT], (0.675, 0.0)),
    Phase(1000, 512, [_RECALL, _RECALL, _EXAM, _EXAM, _ABSENT, _TALK, _MEDIUM, _EDIT], (0.5, 0.1)),
    Phase(250, 1024, [_RECALL, _EXAM, _ABSENT, _TALK, _MEDIUM, _LONG, _LONG_SYSTEM, _EDIT], (0.1, 0.0)),
]


def place(step: int, taken: int) -> tuple[Phase, float] | None:
    """The phase of a step and its rate as a share of the peak, less while the optimisers that took so many steps warm up; None behind the last step."""
    warm_up = min(1.0, (taken + 1) / WARM_UP_STEPS)
    for phase in PHASES:
        if step < phase.steps:
            first, last = phase.rates
            return phase, warm_up * (first + (last - first) * step / phase.steps)
        step -= phase.steps
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder with tokenizer.json")
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--weights", type=Path, help="an exported model to go on from where --run holds no checkpoint, with optimisers that start anew")
    parser.add_argument("--at-step", type=int, default=0, help="the step that --weights are from")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checkpoint-minutes", type=float, default=4)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    options.run.mkdir(parents=True, exist_ok=True)
    checkpoint_path = options.run / "checkpoint.pt"

    model = Llama(Config())
    if options.weights is not None:
        model.load_state_dict(safetensors.load_model(options.weights))
    average = Llama(Config())
    average.load_state_dict(model.state_dict())
    matrices = [parameter for name, parameter in model.named_parameters() if parameter.dim() == 2 and "embed" not in name]
    others = [parameter for name, parameter in model.named_parameters() if parameter.dim() != 2 or "embed" in name]
    optimizers = [(Muon(matrices, MUON_RATE), MUON_RATE), (torch.optim.AdamW(others, ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0), ADAM_RATE)]
    step = options.at_step
    packer = Packer(Tokenizer.load(options.tokenizer), step * DIALOGUES_PER_STEP)
    if checkpoint_path.exists():
        saved = torch.load(checkpoint_path)
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        for (optimizer, _), state in zip(optimizers, saved["optimizers"]):
            optimizer.load_state_dict(state)
        step, packer.next_dialogue = saved["step"], saved["next_dialogue"]
    first_step = step
    print(f"{sum(parameter.numel() for parameter in model.parameters())} parameters, starting at step {step}", flush=True)

    def save() -> None:
        torch.save({"model": model.state_dict(), "average": average.state_dict(), "optimizers": [optimizer.state_dict() for optimizer, _ in optimizers], "step": step,
                    "next_dialogue": packer.next_dialogue}, checkpoint_path.with_suffix(".new"))
        checkpoint_path.with_suffix(".new").replace(checkpoint_path)

    saved_at = reported_at = time.monotonic()
    losses: list[float] = []
    while (now := place(step, step - first_step)) is not None:
        phase, share = now
        batch = packer.batch(phase.styles, TOKENS_PER_STEP // phase.context, phase.context)
        hidden = model.hidden_states(batch.ids, batch.mask)
        loss = F.cross_entropy(model.logits(hidden[batch.learn]), batch.targets[batch.learn])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for optimizer, rate in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()
            optimizer.zero_grad()
        step += 1
        with torch.no_grad():
            keep = min(AVERAGE, step / (step + 10))
            for kept, current in zip(average.parameters(), model.parameters()):
                kept.lerp_(current, 1 - keep)
        losses.append(loss.item())
        if step % 20 == 0:
            seconds = time.monotonic() - reported_at
            print(f"step {step} context {phase.context} rate {share:.3f} loss {sum(losses) / len(losses):.4f} {TOKENS_PER_STEP * len(losses) / seconds:.0f} tokens/s", flush=True)
            losses, reported_at = [], time.monotonic()
        if time.monotonic() - saved_at > options.checkpoint_minutes * 60:
            save()
            saved_at = time.monotonic()
    save()
    print("done", flush=True)


if __name__ == "__main__":
    main()
