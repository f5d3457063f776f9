"""GPT-NeoX (Pythia): layer norms, a part of each head turned, GELU, biases, and attention and feed-forward layer beside each other.

Parallel: x += attention(norm(x)) + mlp(norm'(x)); else one after the other. Query, key and value of a head stand together in one matrix.
"""

import torch
from torch import Tensor

import rotary
from attention import attend
from blocks import ACTIVATIONS, Block


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon, heads = config["layer_norm_eps"], config["num_attention_heads"]
    dim = config["hidden_size"] // heads
    turns = rotary.tables(
        len(ids), int(dim * config.get("rotary_pct", 0.25)), config.get("rotary_emb_base", 10_000), {}, config["max_position_embeddings"])

    def attention(block: Block, x: Tensor) -> Tensor:
        # [positions, heads, 3, dim] to three times [heads, positions, dim].
        query, key, value = block.linear("attention.query_key_value", x).view(len(ids), heads, 3, dim).permute(2, 1, 0, 3)
        return block.linear("attention.dense", attend(rotary.rotate(query, turns), rotary.rotate(key, turns), value))

    def mlp(block: Block, x: Tensor) -> Tensor:
        return block.linear("mlp.dense_4h_to_h", ACTIVATIONS[config["hidden_act"]](block.linear("mlp.dense_h_to_4h", x)))

    x = weights["gpt_neox.embed_in.weight"][torch.tensor(ids)]
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"gpt_neox.layers.{layer}.")
        mixed = attention(block, block.layer_norm("input_layernorm", x, epsilon))
        if config.get("use_parallel_residual", True):
            x = x + mixed + mlp(block, block.layer_norm("post_attention_layernorm", x, epsilon))
        else:
            x = x + mixed
            x = x + mlp(block, block.layer_norm("post_attention_layernorm", x, epsilon))
    last = Block(weights, "gpt_neox.").layer_norm("final_layer_norm", x, epsilon)
    return last @ (weights["gpt_neox.embed_in.weight"] if config.get("tie_word_embeddings", False) else weights["embed_out.weight"]).T
