"""Random weights of the cases."""

import math
from dataclasses import replace

import torch
from torch import Tensor

import gemma
from cases import Case


def weights(case: Case) -> dict[str, Tensor]:
    """Random weights under Hugging Face's names, in the case's type and in the order of the layers."""
    draw = Draw(case.generator)
    if "text_config" in case.config:
        text = llama_weights(replace(case, config=gemma.TEXT_DEFAULTS | case.config["text_config"]), draw)
        seeing = {"vision_tower.patch.weight": draw.normal(4, 8, deviation=1), "multi_modal_projector.weight": draw.normal(8, 4, deviation=1)}
        return {f"language_model.{name}": tensor.to(case.dtype) for name, tensor in text.items()} | seeing
    makers = {"gpt2": gpt2_weights, "gpt_neox": gpt_neox_weights}
    drawn = makers.get(case.config["model_type"], llama_weights)(case, draw)
    return {name: tensor.to(case.dtype) for name, tensor in drawn.items()}


class Draw:
    """Random tensors of the sizes that make attention choose: with queries and keys drawn wider, scores have a deviation of about two."""

    def __init__(self, generator: torch.Generator):
        self._generator = generator

    def normal(self, *shape: int, deviation: float) -> Tensor:
        return torch.randn(shape, generator=self._generator) * deviation

    def linear(self, inputs: int, outputs: int, gain: float = 1.0) -> Tensor:
        """[out, in]; of inputs of deviation one it makes outputs of deviation `gain`."""
        return self.normal(outputs, inputs, deviation=gain / math.sqrt(inputs))

    def scale(self, width: int) -> Tensor:
        return 1 + self.normal(width, deviation=0.2)


WIDE = math.sqrt(2)


def llama_weights(case: Case, draw: Draw) -> dict[str, Tensor]:
    config = case.config
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = config.get("head_dim", hidden // heads)
    kind = config["model_type"]
    qwen2_bias = kind == "qwen2" or config.get("use_qkv_bias", False)
    attention_bias, mlp_bias = config.get("attention_bias", False), config.get("mlp_bias", False)

    # Name, inputs, outputs, gain, biased.
    linears = [
        ("self_attn.q_proj", hidden, heads * head_dim, WIDE, attention_bias or qwen2_bias),
        ("self_attn.k_proj", hidden, kv_heads * head_dim, WIDE, attention_bias or qwen2_bias),
        ("self_attn.v_proj", hidden, kv_heads * head_dim, 1, attention_bias or qwen2_bias),
        ("self_attn.o_proj", heads * head_dim, hidden, 1, attention_bias),
    ]
    if kind == "phi3":
        linears[:3] = [("self_attn.qkv_proj", hidden, (heads + 2 * kv_heads) * head_dim, WIDE, False)]
    dense = [
        ("mlp.gate_proj", hidden, inner, 1, mlp_bias),
        ("mlp.up_proj", hidden, inner, 1, mlp_bias),
        ("mlp.down_proj", inner, hidden, 1, mlp_bias),
    ]
    if kind == "phi3":
        dense[:2] = [("mlp.gate_up_proj", hidden, 2 * inner, 1, False)]
    tensors = {"model.embed_tokens.weight": draw.normal(vocabulary, hidden, deviation=0.5)}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        norms = NORMS.get(kind, ["input_layernorm", "post_attention_layernorm"])
        if config.get("use_parallel_residual", False):
            norms = norms[:1]
        draw_norm(config, draw, tensors, prefix + norms[0], hidden)
        for name, inputs, outputs, gain, biased in linears + experts(config, layer, dense):
            tensors[f"{prefix}{name}.weight"] = draw.linear(inputs, outputs, gain)
            if biased:
                tensors[f"{prefix}{name}.bias"] = draw.normal(outputs, deviation=0.5)
        for name in norms[1:]:
            draw_norm(config, draw, tensors, prefix + name, hidden)
        for name, width in head_norms(config, heads, kv_heads, head_dim):
            tensors[f"{prefix}self_attn.{name}.weight"] = norm_scale(config, draw, width)
        if case.legacy_buffers:
            tensors[prefix + "self_attn.rotary_emb.inv_freq"] = config["rope_theta"] ** (-torch.arange(0, head_dim, 2) / head_dim)
    draw_norm(config, draw, tensors, "model.norm", hidden)
    if not config.get("tie_word_embeddings", True):
        tensors["lm_head.weight"] = draw.normal(vocabulary, hidden, deviation=0.5)
    return tensors


NORMS = {
    "gemma2": ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"],
    "gemma3_text": ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"],
    "olmo2": ["post_attention_layernorm", "post_feedforward_layernorm"],
}


def norm_scale(config: dict, draw: Draw, width: int) -> Tensor:
    """Around 1; Gemma's are stored less 1."""
    return draw.scale(width) - (1 if config["model_type"].startswith("gemma") else 0)


def draw_norm(config: dict, draw: Draw, tensors: dict[str, Tensor], name: str, width: int) -> None:
    tensors[name + ".weight"] = norm_scale(config, draw, width)
    if config["model_type"] == "stablelm":
        tensors[name + ".bias"] = draw.normal(width, deviation=0.2)


def head_norms(config: dict, heads: int, kv_heads: int, head_dim: int) -> list[tuple[str, int]]:
    """Names and widths of the norms of queries and keys."""
    kind = config["model_type"]
    if kind in ("qwen3", "qwen3_moe", "gemma3_text"):
        return [("q_norm", head_dim), ("k_norm", head_dim)]
    if kind in ("olmo2", "olmoe"):
        return [("q_norm", heads * head_dim), ("k_norm", kv_heads * head_dim)]
    if config.get("qk_layernorm", False):
        counts = [("q", heads), ("k", kv_heads)]
        return [(f"{letter}_layernorm.norms.{i}", head_dim) for letter, count in counts for i in range(count)]
    return []


def experts(config: dict, layer: int, dense: list[tuple]) -> list[tuple]:
    """A layer's router and experts, where it has some; else the feed-forward layer as it is."""
    count = config.get("num_local_experts") or config.get("num_experts")
    if count is None or layer in config.get("mlp_only_layers", []):
        return dense
    hidden, inner = config["hidden_size"], config.get("moe_intermediate_size", config["intermediate_size"])
    prefix, gate, up, down = (
        ("block_sparse_moe.", "w1", "w3", "w2") if config["model_type"] == "mixtral" else ("mlp.", "gate_proj", "up_proj", "down_proj")
    )
    linears = [(prefix + "gate", hidden, count, 2, False)]
    for index in range(count):
        expert = f"{prefix}experts.{index}."
        linears += [(expert + gate, hidden, inner, 1, False), (expert + up, hidden, inner, 1, False), (expert + down, inner, hidden, 2, False)]
    return linears


def gpt_neox_weights(case: Case, draw: Draw) -> dict[str, Tensor]:
    config = case.config
    hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    tensors = {"gpt_neox.embed_in.weight": draw.normal(vocabulary, hidden, deviation=0.5)}

    def norm(name: str) -> None:
        tensors[name + ".weight"] = draw.scale(hidden)
        tensors[name + ".bias"] = draw.normal(hidden, deviation=0.2)

    def linear(name: str, inputs: int, outputs: int, gain: float = 1.0) -> None:
        tensors[name + ".weight"] = draw.linear(inputs, outputs, gain)
        tensors[name + ".bias"] = draw.normal(outputs, deviation=0.3)

    for layer in range(config["num_hidden_layers"]):
        block = f"gpt_neox.layers.{layer}."
        norm(block + "input_layernorm")
        norm(block + "post_attention_layernorm")
        linear(block + "attention.query_key_value", hidden, 3 * hidden, WIDE)
        linear(block + "attention.dense", hidden, hidden)
        linear(block + "mlp.dense_h_to_4h", hidden, inner)
        linear(block + "mlp.dense_4h_to_h", inner, hidden)
    norm("gpt_neox.final_layer_norm")
    tensors["embed_out.weight"] = draw.normal(vocabulary, hidden, deviation=0.5)
    return tensors


def gpt2_weights(case: Case, draw: Draw) -> dict[str, Tensor]:
    config = case.config
    hidden, positions = config["n_embd"], config["n_positions"]
    inner = config.get("n_inner") or 4 * hidden
    tensors = {
        "wte.weight": draw.normal(config["vocab_size"], hidden, deviation=0.5),
        "wpe.weight": draw.normal(positions, hidden, deviation=0.5),
    }

    def norm(name: str) -> None:
        tensors[name + ".weight"] = draw.scale(hidden)
        tensors[name + ".bias"] = draw.normal(hidden, deviation=0.2)

    def conv1d(name: str, inputs: int, outputs: int, gain: float = 1.0) -> None:
        tensors[name + ".weight"] = draw.linear(inputs, outputs, gain).T.contiguous()
        tensors[name + ".bias"] = draw.normal(outputs, deviation=0.3)

    for layer in range(config["n_layer"]):
        block = f"h.{layer}."
        norm(block + "ln_1")
        if case.legacy_buffers:
            tensors[block + "attn.bias"] = torch.ones(positions, positions).tril()[None, None]
        conv1d(block + "attn.c_attn", hidden, 3 * hidden, WIDE)
        conv1d(block + "attn.c_proj", hidden, hidden)
        norm(block + "ln_2")
        conv1d(block + "mlp.c_fc", hidden, inner)
        conv1d(block + "mlp.c_proj", inner, hidden)
    norm("ln_f")
    return {case.prefix + name: tensor for name, tensor in tensors.items()}
