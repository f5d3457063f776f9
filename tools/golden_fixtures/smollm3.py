"""SmolLM3: Llama in which every few layers know no positions."""

import torch
from torch import Tensor

import llama
from blocks import Block, rms_norm


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    epsilon = config.get("rms_norm_eps", 1e-6)
    x = llama.embedding(weights)[torch.tensor(ids)]
    turns = llama.rotary_tables(config, len(ids), base=2_000_000.0)
    interval = config.get("no_rope_layer_interval", 4)
    for layer in range(config["num_hidden_layers"]):
        block = Block(weights, f"model.layers.{layer}.")
        turned = config["no_rope_layers"][layer] if "no_rope_layers" in config else (layer + 1) % interval
        x = x + llama.self_attention(config, block, rms_norm(x, block["input_layernorm.weight"], epsilon), turns if turned else None)
        x = x + llama.mlp(config, block, rms_norm(x, block["post_attention_layernorm.weight"], epsilon))
    return rms_norm(x, weights["model.norm.weight"], epsilon) @ llama.head(config, weights, tied=True).T
