"""Logits of Llama-family and GPT-2 folders in double precision, straight from the definitions: what golden logits come from.

Nothing here is shared with model.py, which trains. Every function works on one sequence, [tokens, …].
"""

import json
import math
from pathlib import Path

import torch
from torch import Tensor

import safetensors


def logits(folder: Path, ids: list[int]) -> Tensor:
    """[tokens, vocabulary], computed in float64 from the weights as stored."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = {name: tensor.double() for name, tensor in safetensors.load_folder(folder).items()}
    tokens = torch.tensor(ids)
    return gpt2(config, weights, tokens) if config["model_type"] == "gpt2" else llama(config, weights, tokens)


def linear(x: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    """Weight [outputs, inputs], bias [outputs] where there is one."""
    y = x @ weights[name + ".weight"].T
    return y + weights[name + ".bias"] if name + ".bias" in weights else y


def visible(tokens: int, window: int | None) -> Tensor:
    """[query, key]: a token sees itself and earlier ones, at most `window` tokens in all."""
    query, key = torch.arange(tokens)[:, None], torch.arange(tokens)[None, :]
    seen = key <= query
    return seen if window is None else seen & (query - key < window)


def attend(q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
    """q: [tokens, heads, headDim]; k, v: [tokens, kvHeads, headDim]. Query head h reads KV head h / (heads / kvHeads)."""
    group = q.shape[1] // k.shape[1]
    heads = []
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head // group].T / math.sqrt(q.shape[2])
        heads.append(scores.masked_fill(~seen, -math.inf).softmax(-1) @ v[:, head // group])
    return torch.cat(heads, -1)


def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt() * weight


def frequencies(config: dict, head_dim: int) -> Tensor:
    """Radians per position of each pair, [headDim / 2]."""
    plain = float(config.get("rope_theta", 10000.0)) ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    scaling = config.get("rope_scaling")
    if scaling is None:
        return plain
    kind = scaling.get("rope_type", scaling.get("type"))
    if kind == "linear":
        return plain / scaling["factor"]
    if kind != "llama3":
        raise ValueError(f"rope scaling {kind}")
    # Llama 3.1: long waves are slowed down, short ones kept, those between blended.
    original, low, high = scaling["original_max_position_embeddings"], scaling["low_freq_factor"], scaling["high_freq_factor"]
    turns = original * plain / (2 * math.pi)
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return kept * plain + (1 - kept) * plain / scaling["factor"]


def rotate(x: Tensor, frequency: Tensor) -> Tensor:
    """Element i turns with element i + headDim / 2. x: [tokens, heads, headDim]."""
    angle = torch.arange(x.shape[0], dtype=torch.float64)[:, None, None] * frequency
    first, second = x.chunk(2, -1)
    return torch.cat((first * angle.cos() - second * angle.sin(), second * angle.cos() + first * angle.sin()), -1)


def llama(config: dict, weights: dict[str, Tensor], ids: Tensor) -> Tensor:
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    epsilon, frequency = config["rms_norm_eps"], frequencies(config, head_dim)
    tokens = len(ids)
    seen = visible(tokens, config.get("sliding_window"))
    x = weights["model.embed_tokens.weight"][ids]
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        h = rms_norm(x, weights[name + "input_layernorm.weight"], epsilon)
        q = linear(h, weights, name + "self_attn.q_proj").view(tokens, heads, head_dim)
        k = linear(h, weights, name + "self_attn.k_proj").view(tokens, kv_heads, head_dim)
        v = linear(h, weights, name + "self_attn.v_proj").view(tokens, kv_heads, head_dim)
        x = x + linear(attend(rotate(q, frequency), rotate(k, frequency), v, seen), weights, name + "self_attn.o_proj")
        h = rms_norm(x, weights[name + "post_attention_layernorm.weight"], epsilon)
        gate = linear(h, weights, name + "mlp.gate_proj")
        x = x + linear(gate * gate.sigmoid() * linear(h, weights, name + "mlp.up_proj"), weights, name + "mlp.down_proj")
    x = rms_norm(x, weights["model.norm.weight"], epsilon)
    return x @ weights["model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"].T


def layer_norm(x: Tensor, weights: dict[str, Tensor], name: str, epsilon: float) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + epsilon).sqrt() * weights[name + ".weight"] + weights[name + ".bias"]


def gelu_new(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def convolution(x: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    """GPT-2 stores its matrices [inputs, outputs]."""
    return x @ weights[name + ".weight"] + weights[name + ".bias"]


def gpt2(config: dict, weights: dict[str, Tensor], ids: Tensor) -> Tensor:
    heads, hidden, epsilon, tokens = config["n_head"], config["n_embd"], config["layer_norm_epsilon"], len(ids)
    seen = visible(tokens, None)
    x = weights["transformer.wte.weight"][ids] + weights["transformer.wpe.weight"][:tokens]
    for layer in range(config["n_layer"]):
        name = f"transformer.h.{layer}."
        projected = convolution(layer_norm(x, weights, name + "ln_1", epsilon), weights, name + "attn.c_attn")
        q, k, v = (part.view(tokens, heads, hidden // heads) for part in projected.chunk(3, -1))
        x = x + convolution(attend(q, k, v, seen), weights, name + "attn.c_proj")
        h = convolution(layer_norm(x, weights, name + "ln_2", epsilon), weights, name + "mlp.c_fc")
        x = x + convolution(gelu_new(h), weights, name + "mlp.c_proj")
    return layer_norm(x, weights, "transformer.ln_f", epsilon) @ weights["transformer.wte.weight"].T
