"""GPT-2 from a Hugging Face configuration and weights, written from the published architecture.

Every layer: x += attention(layer_norm(x)); x += mlp(layer_norm(x)). Linear weights are Conv1D's: [in, out], always with a bias.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from attention import attend, split_heads


def logits(config: dict, weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """The logits after every position: [positions, vocabulary]."""
    # The first published checkpoints name the tensors of the bare model, later ones those of the model with its head.
    prefix = "transformer." if "transformer.wte.weight" in weights else ""
    x = weights[prefix + "wte.weight"][torch.tensor(ids)] + weights[prefix + "wpe.weight"][: len(ids)]

    def norm(name: str, rows: Tensor) -> Tensor:
        scale, shift = weights[f"{prefix}{name}.weight"], weights[f"{prefix}{name}.bias"]
        return functional.layer_norm(rows, rows.shape[-1:], scale, shift, config.get("layer_norm_epsilon", 1e-5))

    def conv1d(name: str, rows: Tensor) -> Tensor:
        return rows @ weights[f"{prefix}{name}.weight"] + weights[f"{prefix}{name}.bias"]

    for layer in range(config["n_layer"]):
        block = f"h.{layer}."
        query, key, value = (
            split_heads(part, config["n_head"]) for part in conv1d(block + "attn.c_attn", norm(block + "ln_1", x)).chunk(3, dim=-1)
        )
        x = x + conv1d(block + "attn.c_proj", attend(query, key, value))
        x = x + conv1d(block + "mlp.c_proj", gelu_new(conv1d(block + "mlp.c_fc", norm(block + "ln_2", x))))
    head = weights[prefix + "wte.weight"] if config.get("tie_word_embeddings", True) else weights["lm_head.weight"]
    return norm("ln_f", x) @ head.T


def gelu_new(x: Tensor) -> Tensor:
    """The tanh form of GELU."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x.pow(3))))
