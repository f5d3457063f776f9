"""Phi-3, 3.5 and 4: Llama with queries, keys and values in one matrix, gate and up in another, and a part of each head turned."""

import torch
from torch import Tensor

import llama
import rotary
from attention import attend, split_heads
from blocks import ACTIVATIONS, Block, rms_norm


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon = config.get("rms_norm_eps", 1e-5)
    heads, kv_heads, dim = config["num_attention_heads"], config["num_key_value_heads"], llama.head_dim(config)
    turns = llama.rotary_tables(config, len(ids))
    x = llama.embedding(weights)[torch.tensor(ids)]
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        fused = block.linear("self_attn.qkv_proj", rms_norm(x, block["input_layernorm.weight"], epsilon))
        query, key, value = fused.split([heads * dim, kv_heads * dim, kv_heads * dim], dim=-1)
        query, key = rotary.rotate(split_heads(query, heads), turns), rotary.rotate(split_heads(key, kv_heads), turns)
        x = x + block.linear("self_attn.o_proj", attend(query, key, split_heads(value, kv_heads), llama.window(config, layer)))
        gate, up = block.linear("mlp.gate_up_proj", rms_norm(x, block["post_attention_layernorm.weight"], epsilon)).chunk(2, dim=-1)
        x = x + block.linear("mlp.down_proj", ACTIVATIONS[config["hidden_act"]](gate) * up)
    return rms_norm(x, weights["model.norm.weight"], epsilon) @ llama.head(config, weights).T
