"""Granite: Llama with factors on embeddings, scores and what layers add, and a divisor of the logits."""

import torch
from torch import Tensor

import llama
from blocks import Block, rms_norm


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon, added = config.get("rms_norm_eps", 1e-6), config["residual_multiplier"]
    turns = llama.rotary_tables(config, len(ids))
    x = llama.embedding(weights)[torch.tensor(ids)] * config["embedding_multiplier"]
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        normed = rms_norm(x, block["input_layernorm.weight"], epsilon)
        x = x + added * llama.self_attention(config, block, normed, turns, scale=config["attention_multiplier"])
        x = x + added * llama.mlp(config, block, rms_norm(x, block["post_attention_layernorm.weight"], epsilon))
    return rms_norm(x, weights["model.norm.weight"], epsilon) @ llama.head(config, weights).T / config["logits_scaling"]
