"""StableLM: Llama with layer norms and a part of each head turned; larger ones read one norm with both halves of a layer, and normalise each head."""

import torch
from torch import Tensor

import llama
import rotary
from attention import attend, split_heads
from blocks import Block


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon = config["layer_norm_eps"]
    turns = llama.rotary_tables(config, len(ids), partial=0.25)
    x = llama.embedding(weights)[torch.tensor(ids)]
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        normed = block.layer_norm("input_layernorm", x, epsilon)
        mixed = attention(config, block, normed, turns)
        if config.get("use_parallel_residual", False):
            x = x + mixed + llama.mlp(config, block, normed)
        else:
            x = x + mixed
            x = x + llama.mlp(config, block, block.layer_norm("post_attention_layernorm", x, epsilon))
    return Block(weights, "model.").layer_norm("norm", x, epsilon) @ llama.head(config, weights).T


def attention(config: dict, block: Block, x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    query = split_heads(block.linear("self_attn.q_proj", x), heads)
    key = split_heads(block.linear("self_attn.k_proj", x), kv_heads)
    value = split_heads(block.linear("self_attn.v_proj", x), kv_heads)
    if config.get("qk_layernorm", False):
        query, key = head_norms(config, block, "q", query), head_norms(config, block, "k", key)
    return block.linear("self_attn.o_proj", attend(rotary.rotate(query, turns), rotary.rotate(key, turns), value))


def head_norms(config: dict, block: Block, kind: str, heads: Tensor) -> Tensor:
    return torch.stack([
        block.layer_norm(f"self_attn.{kind}_layernorm.norms.{index}", head, config["layer_norm_eps"]) for index, head in enumerate(heads)
    ])
