"""OLMo 2 and OLMoE: queries and keys normalised as a whole, before they are cut into heads.

OLMo 2 normalises what layers add: x += norm(attention(x)); x += norm(swiglu(x)). OLMoE normalises what they read, and has experts.
"""

import torch
from torch import Tensor

import llama
import rotary
from attention import attend, split_heads
from blocks import Block, rms_norm
from qwen3 import mixture


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon = config.get("rms_norm_eps", 1e-5)
    turns = llama.rotary_tables(config, len(ids))
    x = llama.embedding(weights)[torch.tensor(ids)]
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        if config["model_type"] == "olmo2":
            x = x + rms_norm(attention(config, block, x, turns, epsilon), block["post_attention_layernorm.weight"], epsilon)
            x = x + rms_norm(llama.mlp(config, block, x), block["post_feedforward_layernorm.weight"], epsilon)
        else:
            x = x + attention(config, block, rms_norm(x, block["input_layernorm.weight"], epsilon), turns, epsilon)
            x = x + mixture(config, block, rms_norm(x, block["post_attention_layernorm.weight"], epsilon))
    return rms_norm(x, weights["model.norm.weight"], epsilon) @ llama.head(config, weights).T


def attention(config: dict, block: Block, x: Tensor, turns: tuple[Tensor, Tensor], epsilon: float) -> Tensor:
    query = rms_norm(block.linear("self_attn.q_proj", x), block["self_attn.q_norm.weight"], epsilon)
    key = rms_norm(block.linear("self_attn.k_proj", x), block["self_attn.k_norm.weight"], epsilon)
    kv_heads = config["num_key_value_heads"]
    query, key = split_heads(query, config["num_attention_heads"]), split_heads(key, kv_heads)
    value = split_heads(block.linear("self_attn.v_proj", x), kv_heads)
    return block.linear("self_attn.o_proj", attend(rotary.rotate(query, turns), rotary.rotate(key, turns), value))
