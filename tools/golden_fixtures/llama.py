"""The Llama family (Llama, Mistral, Qwen2) from a Hugging Face configuration and weights, written from the published architecture.

Every layer: x += attention(rms_norm(x)); x += swiglu(rms_norm(x)). Linear weights are [out, in].
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from attention import attend, split_heads


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon = config.get("rms_norm_eps", 1e-6)
    embedding = weights["model.embed_tokens.weight"]
    x = embedding[torch.tensor(ids)]
    cosine, sine = rotary(config, len(ids))
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        x = x + self_attention(config, block, rms_norm(x, block["input_layernorm.weight"], epsilon), cosine, sine, window(config, layer))
        x = x + swiglu(block, rms_norm(x, block["post_attention_layernorm.weight"], epsilon))
    head = embedding if config.get("tie_word_embeddings", False) else weights["lm_head.weight"]
    return rms_norm(x, weights["model.norm.weight"], epsilon) @ head.T


class Block:
    """The weights of one layer, by their names inside it."""

    def __init__(self, weights: dict[str, Tensor], prefix: str):
        self._weights = weights
        self._prefix = prefix

    def __getitem__(self, name: str) -> Tensor:
        return self._weights[self._prefix + name]

    def linear(self, name: str, x: Tensor) -> Tensor:
        """x W^T, plus the bias where the checkpoint has one."""
        return functional.linear(x, self[name + ".weight"], self._weights.get(f"{self._prefix}{name}.bias"))


def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight


def self_attention(config: dict, block: Block, x: Tensor, cosine: Tensor, sine: Tensor, window: int | None) -> Tensor:
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads", heads)
    query = split_heads(block.linear("self_attn.q_proj", x), heads)
    key = split_heads(block.linear("self_attn.k_proj", x), kv_heads)
    value = split_heads(block.linear("self_attn.v_proj", x), kv_heads)
    mixed = attend(rotate(query, cosine, sine), rotate(key, cosine, sine), value, window)
    return block.linear("self_attn.o_proj", mixed)


def swiglu(block: Block, x: Tensor) -> Tensor:
    gate = block.linear("mlp.gate_proj", x)
    return block.linear("mlp.down_proj", gate * torch.sigmoid(gate) * block.linear("mlp.up_proj", x))


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotates pairs (i, i + head_dim / 2) of x [heads, positions, head_dim]: Hugging Face's order, not interleaved pairs."""
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine


def rotary(config: dict, positions: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of every position's angles: [positions, head_dim], the second half a copy of the first."""
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * frequencies(config)[None, :]
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def frequencies(config: dict) -> Tensor:
    """Radians per position of each of the head_dim / 2 pairs, after scaling."""
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    # Newer configurations hold the base and the scaling in one object, older ones side by side.
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    base = scaling.get("rope_theta", config.get("rope_theta", 10_000.0))
    plain = base ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "default":
        return plain
    if kind == "linear":
        return plain / scaling["factor"]
    if kind == "llama3":
        return torch.stack([llama3_frequency(f, scaling) for f in plain])
    raise ValueError(f"rope scaling {kind} is not implemented")


def llama3_frequency(frequency: Tensor, scaling: dict) -> Tensor:
    """Llama 3.1's scaling: high frequencies stay, low ones are divided by the factor, those between are blended by their turns in the old context."""
    turns = scaling["original_max_position_embeddings"] * frequency / (2 * math.pi)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return kept * frequency + (1 - kept) * frequency / scaling["factor"]


def window(config: dict, layer: int) -> int | None:
    """The sliding window of a layer: Mistral's is on wherever it is given; Qwen2's must be switched on, and leaves the first layers whole."""
    if config["model_type"] == "mistral":
        return config.get("sliding_window")
    if config["model_type"] == "qwen2" and config.get("use_sliding_window", False):
        return config["sliding_window"] if layer >= config["max_window_layers"] else None
    return None
