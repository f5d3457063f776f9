"""The Llama family (Llama, Mistral, Qwen2) from a Hugging Face configuration and weights, written from the published architecture.

Every layer: x += attention(rms_norm(x)); x += swiglu(rms_norm(x)). Linear weights are [out, in]. Families that differ in a few places say so in
modules of their own, and take what is the same from here.
"""

import torch
from torch import Tensor

import rotary
from attention import attend, split_heads
from blocks import ACTIVATIONS, MLP, Block, gated, rms_norm


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon = config.get("rms_norm_eps", 1e-6)
    x = embedding(weights)[torch.tensor(ids)]
    turns = rotary_tables(config, len(ids))
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        x = x + self_attention(config, block, rms_norm(x, block["input_layernorm.weight"], epsilon), turns, window=window(config, layer))
        x = x + mlp(config, block, rms_norm(x, block["post_attention_layernorm.weight"], epsilon))
    return rms_norm(x, weights["model.norm.weight"], epsilon) @ head(config, weights).T


def embedding(weights: dict[str, Tensor]) -> Tensor:
    return weights["model.embed_tokens.weight"]


def head(config: dict, weights: dict[str, Tensor], tied: bool = False) -> Tensor:
    return embedding(weights) if config.get("tie_word_embeddings", tied) else weights["lm_head.weight"]


def head_dim(config: dict) -> int:
    return config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]


def self_attention(config: dict, block: Block, x: Tensor, turns: tuple[Tensor, Tensor] | None, **how: float | None) -> Tensor:
    """Attention of normalised rows; without turns a layer knows no positions."""
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads", heads)
    query = split_heads(block.linear("self_attn.q_proj", x), heads)
    key = split_heads(block.linear("self_attn.k_proj", x), kv_heads)
    value = split_heads(block.linear("self_attn.v_proj", x), kv_heads)
    if turns is not None:
        query, key = rotary.rotate(query, turns), rotary.rotate(key, turns)
    return block.linear("self_attn.o_proj", attend(query, key, value, **how))


def mlp(config: dict, block: Block, x: Tensor) -> Tensor:
    return gated(block, x, ACTIVATIONS[config.get("hidden_act", "silu")], MLP)


def rotary_tables(config: dict, positions: int, base: float = 10_000.0, partial: float = 1.0) -> tuple[Tensor, Tensor]:
    """Of the configuration's base and scaling, which newer files hold in one object and older ones side by side."""
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    base = scaling.get("rope_theta", config.get("rope_theta", base))
    partial = scaling.get("partial_rotary_factor", config.get("partial_rotary_factor", partial))
    context = config["max_position_embeddings"]
    # Phi-3 says it outside of the object.
    scaling = {"original_max_position_embeddings": config.get("original_max_position_embeddings", context)} | scaling
    return rotary.tables(positions, int(head_dim(config) * partial), base, scaling, context)


def window(config: dict, layer: int) -> int | None:
    """The sliding window of a layer: Mistral's is on wherever it is given; Qwen2's must be switched on, and leaves the first layers whole."""
    if "layer_types" in config:
        return config["sliding_window"] if config["layer_types"][layer] == "sliding_attention" else None
    if config["model_type"] in ("mistral", "mixtral", "phi3"):
        return config.get("sliding_window")
    if config["model_type"] in ("qwen2", "qwen3") and config.get("use_sliding_window", False):
        return config["sliding_window"] if layer >= config["max_window_layers"] else None
    return None
