"""Qwen3 and its mixture of experts: Llama with every head of queries and keys normalised before it is turned.

Every layer: x += attention(rms_norm(x)); x += f(rms_norm(x)), f a SwiGLU or the mixture of the best experts.
"""

import torch
from torch import Tensor

import llama
import rotary
from attention import attend, split_heads
from blocks import ACTIVATIONS, EXPERT, Block, experts, gated, rms_norm


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon = config.get("rms_norm_eps", 1e-6)
    x = llama.embedding(weights)[torch.tensor(ids)]
    turns = llama.rotary_tables(config, len(ids))
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        x = x + attention(config, block, rms_norm(x, block["input_layernorm.weight"], epsilon), turns, llama.window(config, layer), epsilon)
        normed = rms_norm(x, block["post_attention_layernorm.weight"], epsilon)
        x = x + (mixture(config, block, normed) if is_sparse(config, layer) else llama.mlp(config, block, normed))
    return rms_norm(x, weights["model.norm.weight"], epsilon) @ llama.head(config, weights).T


def attention(config: dict, block: Block, x: Tensor, turns: tuple[Tensor, Tensor], window: int | None, epsilon: float) -> Tensor:
    query = split_heads(block.linear("self_attn.q_proj", x), config["num_attention_heads"])
    key = split_heads(block.linear("self_attn.k_proj", x), config["num_key_value_heads"])
    value = split_heads(block.linear("self_attn.v_proj", x), config["num_key_value_heads"])
    query = rotary.rotate(rms_norm(query, block["self_attn.q_norm.weight"], epsilon), turns)
    key = rotary.rotate(rms_norm(key, block["self_attn.k_norm.weight"], epsilon), turns)
    return block.linear("self_attn.o_proj", attend(query, key, value, window))


def is_sparse(config: dict, layer: int) -> bool:
    if config["model_type"] != "qwen3_moe" or layer in config.get("mlp_only_layers", []):
        return False
    return (layer + 1) % config.get("decoder_sparse_step", 1) == 0


def mixture(config: dict, block: Block, x: Tensor) -> Tensor:
    activation = ACTIVATIONS[config["hidden_act"]]
    return experts(
        x, block.linear("mlp.gate", x), config["num_experts_per_tok"], config.get("norm_topk_prob", False),
        lambda index, row: gated(block.inside(f"mlp.experts.{index}."), row, activation, EXPERT),
    )
