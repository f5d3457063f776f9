"""Gemma 2 and Gemma 3 (text), from their reports and configurations.

Embeddings times sqrt(hidden). Every layer: x += norm(attention(norm(x))); x += norm(geglu(norm(x))), with RMS norms whose weights are stored less 1.
Gemma 2 caps scores and logits and alternates windows with full attention, beginning with a window. Gemma 3 normalises heads of queries and keys, has one
full layer after several windowed ones, and turns windowed layers by a base of their own, unscaled.
"""

import math

import torch
from torch import Tensor

import llama
import rotary
from attention import attend, split_heads
from blocks import ACTIVATIONS, MLP, Block, gated, rms_norm


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    # The text half of a model that also sees stands in an object and under a prefix of its own.
    if "text_config" in config:
        prefix = "language_model."
        text = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
        return logits(TEXT_DEFAULTS | config["text_config"], text, ids)
    epsilon = config.get("rms_norm_eps", 1e-6)
    is_third = config["model_type"] == "gemma3_text"
    whole, windowed = rotary_of(config, len(ids), "full_attention"), rotary_of(config, len(ids), "sliding_attention")
    activation = ACTIVATIONS[config.get("hidden_activation", "gelu_pytorch_tanh")]

    def norm(x: Tensor, weight: Tensor) -> Tensor:
        return rms_norm(x, 1 + weight, epsilon)

    x = llama.embedding(weights)[torch.tensor(ids)] * math.sqrt(config["hidden_size"])
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        is_windowed = (layer + 1) % config.get("sliding_window_pattern", 6) != 0 if is_third else layer % 2 == 0
        normed = norm(x, block["input_layernorm.weight"])
        query = split_heads(block.linear("self_attn.q_proj", normed), config["num_attention_heads"])
        key = split_heads(block.linear("self_attn.k_proj", normed), config["num_key_value_heads"])
        value = split_heads(block.linear("self_attn.v_proj", normed), config["num_key_value_heads"])
        if is_third:
            query, key = norm(query, block["self_attn.q_norm.weight"]), norm(key, block["self_attn.k_norm.weight"])
        turns = windowed if is_windowed else whole
        mixed = attend(
            rotary.rotate(query, turns), rotary.rotate(key, turns), value,
            window=config["sliding_window"] if is_windowed else None,
            scale=config["query_pre_attn_scalar"] ** -0.5,
            cap=config.get("attn_logit_softcapping", None if is_third else 50.0),
        )
        x = x + norm(block.linear("self_attn.o_proj", mixed), block["post_attention_layernorm.weight"])
        inner = gated(block, norm(x, block["pre_feedforward_layernorm.weight"]), activation, MLP)
        x = x + norm(inner, block["post_feedforward_layernorm.weight"])
    scores = norm(x, weights["model.norm.weight"]) @ llama.head(config, weights, tied=True).T
    cap = config.get("final_logit_softcapping", None if is_third else 30.0)
    return scores if cap is None else cap * torch.tanh(scores / cap)


TEXT_DEFAULTS = {"num_attention_heads": 8, "num_key_value_heads": 4, "max_position_embeddings": 131_072, "rope_theta": 1_000_000.0}
"""What files of models that also see leave out."""


def rotary_of(config: dict, positions: int, layer_type: str) -> tuple[Tensor, Tensor]:
    if config["model_type"] == "gemma2":
        return llama.rotary_tables(config, positions)
    nested = config.get("rope_parameters")
    if nested is not None:
        scaling = nested[layer_type]
        return rotary.tables(positions, config["head_dim"], scaling["rope_theta"], scaling, config["max_position_embeddings"])
    if layer_type == "sliding_attention":
        return rotary.tables(positions, config["head_dim"], config.get("rope_local_base_freq", 10_000.0), {}, config["max_position_embeddings"])
    return llama.rotary_tables(config, positions, base=1_000_000.0)
