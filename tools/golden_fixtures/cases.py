"""The cases: small configurations, their random weights, and the prompts."""

import math
import zlib
from dataclasses import dataclass

import torch
from torch import Tensor

# Both sides of the edges of 16-token blocks; the longest crosses four.
PROMPTS = [(5, 0), (16, 8), (17, 14), (40, 20), (70, 62)]
"""Tokens of a prompt, and the first position whose logits are stored."""


@dataclass(frozen=True)
class Case:
    name: str
    config: dict
    misread: dict
    """Properties as a reader might wrongly take them; the logits must then be far from the expected ones."""
    dtype: torch.dtype = torch.float32
    prefix: str = ""
    """Before every GPT-2 tensor's name."""
    shards: int = 1
    legacy_buffers: bool = False
    """With the constants that older checkpoints store among the weights, and that a reader must pass over."""

    @property
    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(zlib.crc32(self.name.encode()))


def llama(**changes: object) -> dict:
    """A Llama configuration of 2 layers with 4 heads on 2 KV heads, with some properties changed."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "hidden_act": "silu",
        "vocab_size": 96,
        "max_position_embeddings": 128,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10_000.0,
        "tie_word_embeddings": True,
    } | changes


def mistral(**changes: object) -> dict:
    return llama(architectures=["MistralForCausalLM"], model_type="mistral", **changes)


def qwen2(**changes: object) -> dict:
    return llama(architectures=["Qwen2ForCausalLM"], model_type="qwen2", rms_norm_eps=1e-6, **changes)


def gpt2(**changes: object) -> dict:
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_embd": 32,
        "n_head": 2,
        "n_layer": 2,
        "n_positions": 72,
        "vocab_size": 64,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
    } | changes


LLAMA3_ROPE = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 512,
}

CASES = [
    # head_dim is left out, as in the first Llama configurations: hidden_size / num_attention_heads.
    Case(
        "llama-mha",
        {k: v for k, v in llama(num_attention_heads=2, num_key_value_heads=2, num_hidden_layers=3).items() if k != "head_dim"},
        {"num_attention_heads": 4, "num_key_value_heads": 4},
        legacy_buffers=True,
    ),
    Case("llama-gqa", llama(), {"rope_theta": 12_000.0}),
    Case("llama-mqa", llama(num_key_value_heads=1), {"rope_theta": 12_000.0}),
    Case("llama-sliding-window", mistral(sliding_window=21), {"sliding_window": 22}),
    Case("llama-rope-linear", llama(rope_scaling={"type": "linear", "factor": 4.0}), {"rope_scaling": None}),
    # With this base four of the eight frequencies are kept, two are blended and two are divided.
    Case(
        "llama-rope-llama3",
        llama(rope_theta=500.0, max_position_embeddings=4_096, rope_scaling=LLAMA3_ROPE),
        {"rope_scaling": LLAMA3_ROPE | {"high_freq_factor": 5.0}},
    ),
    Case("llama-untied", llama(tie_word_embeddings=False), {"tie_word_embeddings": True}),
    Case("llama-bias", llama(attention_bias=True, mlp_bias=True), {"rope_theta": 12_000.0}),
    Case("qwen2-bias", qwen2(rope_parameters={"rope_type": "default", "rope_theta": 1_000.0}), {"rope_parameters": None}),
    Case("qwen2-late-window", qwen2(use_sliding_window=True, sliding_window=16, max_window_layers=1), {"max_window_layers": 0}),
    Case("llama-sharded", llama(tie_word_embeddings=False), {"tie_word_embeddings": True}, shards=2),
    Case("llama-f16", llama(), {"rope_theta": 12_000.0}, dtype=torch.float16),
    Case("llama-bf16", llama(), {"rope_theta": 12_000.0}, dtype=torch.bfloat16),
    Case("gpt2-tied", gpt2(n_inner=64), {"n_head": 4}, legacy_buffers=True),
    Case("gpt2-prefixed", gpt2(), {"n_head": 4}, prefix="transformer."),
]


def prompts(case: Case) -> list[list[int]]:
    generator = case.generator
    return [torch.randint(case.config["vocab_size"], (length,), generator=generator).tolist() for length, _ in PROMPTS]


def weights(case: Case) -> dict[str, Tensor]:
    """Random weights under Hugging Face's names, in the case's type and in the order of the layers."""
    draw = Draw(case.generator)
    drawn = gpt2_weights(case, draw) if case.config["model_type"] == "gpt2" else llama_weights(case, draw)
    return {name: tensor.to(case.dtype) for name, tensor in drawn.items()}


class Draw:
    """Random tensors of the sizes that make attention choose: with queries and keys drawn wider, scores have a deviation of about two."""

    def __init__(self, generator: torch.Generator):
        self._generator = generator

    def normal(self, *shape: int, deviation: float) -> Tensor:
        return torch.randn(shape, generator=self._generator) * deviation

    def linear(self, inputs: int, outputs: int, gain: float = 1.0) -> Tensor:
        """[out, in]; of inputs of deviation one it makes outputs of deviation `gain`."""
        return self.normal(outputs, inputs, deviation=gain / math.sqrt(inputs))

    def scale(self, width: int) -> Tensor:
        return 1 + self.normal(width, deviation=0.2)


WIDE = math.sqrt(2)


def llama_weights(case: Case, draw: Draw) -> dict[str, Tensor]:
    config = case.config
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = config.get("head_dim", hidden // heads)
    qwen2_bias = config["model_type"] == "qwen2"
    attention_bias, mlp_bias = config.get("attention_bias", False), config.get("mlp_bias", False)

    # Name, inputs, outputs, gain, biased.
    linears = [
        ("self_attn.q_proj", hidden, heads * head_dim, WIDE, attention_bias or qwen2_bias),
        ("self_attn.k_proj", hidden, kv_heads * head_dim, WIDE, attention_bias or qwen2_bias),
        ("self_attn.v_proj", hidden, kv_heads * head_dim, 1, attention_bias or qwen2_bias),
        ("self_attn.o_proj", heads * head_dim, hidden, 1, attention_bias),
        ("mlp.gate_proj", hidden, inner, 1, mlp_bias),
        ("mlp.up_proj", hidden, inner, 1, mlp_bias),
        ("mlp.down_proj", inner, hidden, 1, mlp_bias),
    ]
    tensors = {"model.embed_tokens.weight": draw.normal(vocabulary, hidden, deviation=0.5)}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        tensors[prefix + "input_layernorm.weight"] = draw.scale(hidden)
        for name, inputs, outputs, gain, biased in linears:
            tensors[f"{prefix}{name}.weight"] = draw.linear(inputs, outputs, gain)
            if biased:
                tensors[f"{prefix}{name}.bias"] = draw.normal(outputs, deviation=0.5)
        tensors[prefix + "post_attention_layernorm.weight"] = draw.scale(hidden)
        if case.legacy_buffers:
            tensors[prefix + "self_attn.rotary_emb.inv_freq"] = config["rope_theta"] ** (-torch.arange(0, head_dim, 2) / head_dim)
    tensors["model.norm.weight"] = draw.scale(hidden)
    if not config["tie_word_embeddings"]:
        tensors["lm_head.weight"] = draw.normal(vocabulary, hidden, deviation=0.5)
    return tensors


def gpt2_weights(case: Case, draw: Draw) -> dict[str, Tensor]:
    config = case.config
    hidden, positions = config["n_embd"], config["n_positions"]
    inner = config.get("n_inner") or 4 * hidden
    tensors = {
        "wte.weight": draw.normal(config["vocab_size"], hidden, deviation=0.5),
        "wpe.weight": draw.normal(positions, hidden, deviation=0.5),
    }

    def norm(name: str) -> None:
        tensors[name + ".weight"] = draw.scale(hidden)
        tensors[name + ".bias"] = draw.normal(hidden, deviation=0.2)

    def conv1d(name: str, inputs: int, outputs: int, gain: float = 1.0) -> None:
        tensors[name + ".weight"] = draw.linear(inputs, outputs, gain).T.contiguous()
        tensors[name + ".bias"] = draw.normal(outputs, deviation=0.3)

    for layer in range(config["n_layer"]):
        block = f"h.{layer}."
        norm(block + "ln_1")
        if case.legacy_buffers:
            tensors[block + "attn.bias"] = torch.ones(positions, positions).tril()[None, None]
        conv1d(block + "attn.c_attn", hidden, 3 * hidden, WIDE)
        conv1d(block + "attn.c_proj", hidden, hidden)
        norm(block + "ln_2")
        conv1d(block + "mlp.c_fc", hidden, inner)
        conv1d(block + "mlp.c_proj", inner, hidden)
    norm("ln_f")
    return {case.prefix + name: tensor for name, tensor in tensors.items()}


def shards(case: Case, tensors: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """The tensors in runs of about equal count."""
    names = list(tensors)
    size = math.ceil(len(names) / case.shards)
    return [{name: tensors[name] for name in names[start : start + size]} for start in range(0, len(names), size)]
