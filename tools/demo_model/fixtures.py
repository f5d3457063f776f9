"""Writes tests/Golden/fixtures: small random models, and the demo model, with logits from reference.py; and tests/Golden/recall.json.

`fixtures.py` writes all, `fixtures.py demo` only the named ones.
"""

import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

import examination
import reference
import safetensors
from examination import Question
from tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "Golden" / "fixtures"
RECALL = ROOT / "tests" / "Golden" / "recall.json"
DEMO = ROOT / "models" / "demo"
LENGTHS = [5, 16, 33, 70]   # inside a block, a whole block, just over two, over four
DEMO_ROWS = 8               # the demo model's vocabulary is large: only the last rows are stored


@dataclass(frozen=True)
class Case:
    name: str
    changes: dict = field(default_factory=dict)
    dtype: torch.dtype = torch.float32
    shards: int = 1


LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "hidden_act": "silu", "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2,
}
GPT2 = {
    "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 64, "n_embd": 32, "n_layer": 3, "n_head": 2, "n_positions": 96, 
    "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "scale_attn_weights": True, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2,
}
LLAMA3_SCALING = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
CASES = [
    Case("llama-mha", {"num_key_value_heads": 4}),
    Case("llama-gqa"),
    Case("llama-mqa", {"num_key_value_heads": 1}),
    Case("llama-sliding-window", {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 20}),
    Case("llama-rope-linear", {"rope_scaling": {"type": "linear", "factor": 4.0}}),
    Case("llama-rope-llama3", {"rope_scaling": LLAMA3_SCALING, "rope_theta": 500000.0}),
    Case("llama-untied", {"tie_word_embeddings": False}),
    Case("llama-attention-bias", {"attention_bias": True}),
    Case("qwen2", {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "attention_bias": None}),
    Case("llama-two-shards", {"num_hidden_layers": 3}, shards=2),
    Case("llama-f16", dtype=torch.float16),
    Case("llama-bf16", dtype=torch.bfloat16),
    Case("gpt2-tied", GPT2),
]


def config_of(case: Case) -> dict:
    """A change to None leaves the property out."""
    config = GPT2 if case.changes is GPT2 else {**LLAMA, **case.changes}
    return {name: value for name, value in config.items() if value is not None}


def llama_shapes(config: dict) -> dict[str, list[int]]:
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    queries, keys = config["num_attention_heads"] * config["head_dim"], config["num_key_value_heads"] * config["head_dim"]
    shapes = {"model.embed_tokens.weight": [vocabulary, hidden]}
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        shapes[name + "input_layernorm.weight"] = [hidden]
        for part, outputs, inputs in (("q", queries, hidden), ("k", keys, hidden), ("v", keys, hidden), ("o", hidden, queries)):
            shapes[f"{name}self_attn.{part}_proj.weight"] = [outputs, inputs]
            if config.get("attention_bias") or config["model_type"] == "qwen2" and part != "o":
                shapes[f"{name}self_attn.{part}_proj.bias"] = [outputs]
        shapes[name + "post_attention_layernorm.weight"] = [hidden]
        shapes |= {f"{name}mlp.gate_proj.weight": [inner, hidden], f"{name}mlp.up_proj.weight": [inner, hidden], f"{name}mlp.down_proj.weight": [hidden, inner]}
    shapes["model.norm.weight"] = [hidden]
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [vocabulary, hidden]
    return shapes


def gpt2_shapes(config: dict) -> dict[str, list[int]]:
    hidden, inner = config["n_embd"], 4 * config["n_embd"]
    shapes = {"transformer.wte.weight": [config["vocab_size"], hidden], "transformer.wpe.weight": [config["n_positions"], hidden]}
    for layer in range(config["n_layer"]):
        for part, shape in (("ln_1", [hidden]), ("attn.c_attn", [hidden, 3 * hidden]), ("attn.c_proj", [hidden, hidden]), ("ln_2", [hidden]), ("mlp.c_fc", [hidden, inner]),
                            ("mlp.c_proj", [inner, hidden])):
            shapes |= {f"transformer.h.{layer}.{part}.weight": shape, f"transformer.h.{layer}.{part}.bias": shape[-1:]}
    return shapes | {"transformer.ln_f.weight": [hidden], "transformer.ln_f.bias": [hidden]}


def draw(name: str, shape: list[int], generator: torch.Generator) -> Tensor:
    """Large enough that attention is far from uniform and every part moves the logits."""
    noise = torch.randn(shape, generator=generator)
    if name.endswith(".bias"):
        return 0.3 * noise
    if "norm" in name or ".ln_" in name:
        return 1 + 0.2 * noise
    return noise * (0.5 if "embed" in name or ".wte" in name or ".wpe" in name else 1.4 * min(shape) ** -0.5)


def write_json(path: Path, document: dict) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def write_model(case: Case, folder: Path, generator: torch.Generator) -> None:
    config = config_of(case)
    shapes = gpt2_shapes(config) if config["model_type"] == "gpt2" else llama_shapes(config)
    tensors = {name: draw(name, shape, generator).to(case.dtype) for name, shape in shapes.items()}
    write_json(folder / "config.json", {**config, "torch_dtype": str(case.dtype).removeprefix("torch.")})
    if case.shards == 1:
        safetensors.save(folder / "model.safetensors", tensors)
        return
    names = list(tensors)
    size = -(-len(names) // case.shards)
    places = {name: f"model-{index // size + 1:05}-of-{case.shards:05}.safetensors" for index, name in enumerate(names)}
    for file in sorted(set(places.values())):
        safetensors.save(folder / file, {name: tensors[name] for name in names if places[name] == file})
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": sum(4 * tensor.numel() for tensor in tensors.values())}, "weight_map": places})


def write_logits(model: Path, folder: Path, prompts: list[list[int]], starts: list[int]) -> None:
    (folder / "input.json").write_text(json.dumps({"prompts": prompts, "from": starts}) + "\n", encoding="utf-8")
    rows = {f"logits.{index}": reference.logits(model, prompt)[start:].float() for index, (prompt, start) in enumerate(zip(prompts, starts))}
    safetensors.save(folder / "logits.safetensors", rows)
    print(f"{folder.name}: logits up to {max(row.abs().max().item() for row in rows.values()):.1f}")


def demo_prompts() -> list[list[int]]:
    tokenizer = Tokenizer.load(DEMO)
    lisbon = [("user", "My name is Marta and I live in Lisbon."), ("assistant", "Nice to meet you, Marta! Lisbon sounds lovely.")]
    chats = [
        [("user", "Hello!")],
        [("user", "What is a KV cache?")],
        [*lisbon, ("user", "What is my name?")],
        [("system", "You are a helpful assistant."), *lisbon, ("user", "I'd like 2 coffees and a bagel."), ("assistant", "Noted: 2 coffees and a bagel."), ("user", "where do i live")],
    ]
    return [tokenizer.encode_chat(chat) for chat in chats]


def as_json(question: Question) -> dict:
    """The messages without the assistant's; `edit.index` counts those."""
    written = {"messages": [{"role": message.role, "content": message.text} for message in question.messages], "asked": question.asked, "wanted": question.wanted}
    if question.edit is not None:
        written |= {"barred": question.barred, "edit": {"index": question.edit.index, "content": question.edit.text}}
    return written


def write_recall() -> None:
    """Held-out dialogues for the engine's own test: the ones that evaluate.py draws."""
    drawn = {
        "recall": [examination.recall(f"evaluation recall {number}") for number in range(200)],
        "edits": [examination.edit(f"evaluation edit, later messages kept {number}", drop_later=False) for number in range(200)],
    }
    lines = [f' "{name}": [\n' + ",\n".join("  " + json.dumps(as_json(question), ensure_ascii=False) for question in questions) + "\n ]" for name, questions in drawn.items()]
    RECALL.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main() -> None:
    wanted = sys.argv[1:]
    for index, case in enumerate(CASES):
        if wanted and case.name not in wanted:
            continue
        folder = FIXTURES / case.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        generator = torch.Generator().manual_seed(100 + index)
        write_model(case, folder, generator)
        vocabulary = config_of(case)["vocab_size"]
        prompts = [torch.randint(0, vocabulary, (length,), generator=generator).tolist() for length in LENGTHS]
        write_logits(folder, folder, prompts, [0] * len(prompts))
    if not wanted or "recall" in wanted:
        write_recall()
    if not wanted or "demo" in wanted:
        (FIXTURES / "demo").mkdir(parents=True, exist_ok=True)
        prompts = demo_prompts()
        write_logits(DEMO, FIXTURES / "demo", prompts, [len(prompt) - DEMO_ROWS for prompt in prompts])


if __name__ == "__main__":
    main()
