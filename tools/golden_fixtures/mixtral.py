"""Mixtral: Mistral with a mixture of experts for every feed-forward layer; the weights of a token's experts sum to 1."""

import torch
from torch import Tensor

import llama
from blocks import ACTIVATIONS, Block, experts, gated, rms_norm


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon = config["rms_norm_eps"]
    turns = llama.rotary_tables(config, len(ids))
    x = llama.embedding(weights)[torch.tensor(ids)]
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        x = x + llama.self_attention(config, block, rms_norm(x, block["input_layernorm.weight"], epsilon), turns, window=llama.window(config, layer))
        x = x + mixture(config, block.inside("block_sparse_moe."), rms_norm(x, block["post_attention_layernorm.weight"], epsilon))
    return rms_norm(x, weights["model.norm.weight"], epsilon) @ llama.head(config, weights).T


def mixture(config: dict, block: Block, x: Tensor) -> Tensor:
    activation = ACTIVATIONS[config["hidden_act"]]
    return experts(
        x, block.linear("gate", x), config["num_experts_per_tok"], True,
        lambda index, row: gated(block.inside(f"experts.{index}."), row, activation, ("w1", "w3", "w2")),
    )
