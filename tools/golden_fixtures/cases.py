"""The cases: small configurations, and the prompts."""

import math
import zlib
from dataclasses import dataclass

import torch
from torch import Tensor

# Both sides of the edges of 16-token blocks; the longest crosses four.
PROMPTS = [(5, 0), (16, 8), (17, 14), (40, 20), (70, 62)]
"""Tokens of a prompt, and the first position whose logits are stored."""


@dataclass(frozen=True)
class Case:
    name: str
    config: dict
    misread: dict
    """Properties as a reader might wrongly take them; the logits must then be far from the expected ones."""
    dtype: torch.dtype = torch.float32
    prefix: str = ""
    """Before every GPT-2 tensor's name."""
    shards: int = 1
    legacy_buffers: bool = False
    """With the constants that older checkpoints store among the weights, and that a reader must pass over."""

    @property
    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(zlib.crc32(self.name.encode()))


def llama(**changes: object) -> dict:
    """A Llama configuration of 2 layers with 4 heads on 2 KV heads, with some properties changed."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "hidden_act": "silu",
        "vocab_size": 96,
        "max_position_embeddings": 128,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10_000.0,
        "tie_word_embeddings": True,
    } | changes


def mistral(**changes: object) -> dict:
    return llama(architectures=["MistralForCausalLM"], model_type="mistral", **changes)


def qwen2(**changes: object) -> dict:
    return llama(architectures=["Qwen2ForCausalLM"], model_type="qwen2", rms_norm_eps=1e-6, **changes)


def gpt2(**changes: object) -> dict:
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_embd": 32,
        "n_head": 2,
        "n_layer": 2,
        "n_positions": 72,
        "vocab_size": 64,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
    } | changes


def family(architecture: str, model_type: str, **changes: object) -> dict:
    """A family that says most of it in Llama's words."""
    return llama(architectures=[architecture], model_type=model_type, max_position_embeddings=1_024, **changes)


def gemma2(**changes: object) -> dict:
    config = family("Gemma2ForCausalLM", "gemma2", num_hidden_layers=3, rms_norm_eps=1e-6, sliding_window=21, query_pre_attn_scalar=24)
    del config["hidden_act"], config["tie_word_embeddings"]
    return config | {"hidden_activation": "gelu_pytorch_tanh", "attn_logit_softcapping": 5.0, "final_logit_softcapping": 8.0} | changes


def gemma3(**changes: object) -> dict:
    config = family("Gemma3ForCausalLM", "gemma3_text", num_hidden_layers=4, rms_norm_eps=1e-6, sliding_window=21, query_pre_attn_scalar=24)
    del config["hidden_act"], config["rope_theta"], config["tie_word_embeddings"]
    return config | {"hidden_activation": "gelu_pytorch_tanh", "sliding_window_pattern": 3} | changes


def phi3(**changes: object) -> dict:
    return family("Phi3ForCausalLM", "phi3", original_max_position_embeddings=1_024, sliding_window=None) | changes


def stablelm(**changes: object) -> dict:
    config = family("StableLmForCausalLM", "stablelm", layer_norm_eps=1e-5, partial_rotary_factor=0.25, use_qkv_bias=True, tie_word_embeddings=False)
    del config["rms_norm_eps"], config["head_dim"]
    return config | {"hidden_size": 64} | changes


def gpt_neox(**changes: object) -> dict:
    return {
        "architectures": ["GPTNeoXForCausalLM"],
        "model_type": "gpt_neox",
        "hidden_size": 48,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "hidden_act": "gelu",
        "vocab_size": 96,
        "max_position_embeddings": 1_024,
        "layer_norm_eps": 1e-5,
        "rotary_emb_base": 10_000,
        "rotary_pct": 0.25,
        "use_parallel_residual": True,
        "tie_word_embeddings": False,
    } | changes


LLAMA3_ROPE = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 512,
}

YARN_ROPE = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256}

LONG_ROPE = {
    "type": "longrope",
    "short_factor": [1.0, 1.05, 1.1, 1.2, 1.3, 1.4],
    "long_factor": [1.1, 1.4, 2.0, 3.0, 4.5, 6.0],
}

GEMMA3_ROPE = {
    "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5_000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 300.0},
}

GEMMA3_TEXT = {
    "model_type": "gemma3_text",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 6,
    "head_dim": 8,
    "vocab_size": 96,
    "rope_scaling": {"rope_type": "linear", "factor": 8.0},
    "sliding_window": 21,
    "query_pre_attn_scalar": 10,
}

GRANITE = {"embedding_multiplier": 6.0, "residual_multiplier": 0.7, "attention_multiplier": 0.2, "logits_scaling": 3.0}

CASES = [
    # head_dim is left out, as in the first Llama configurations: hidden_size / num_attention_heads.
    Case(
        "llama-mha",
        {k: v for k, v in llama(num_attention_heads=2, num_key_value_heads=2, num_hidden_layers=3).items() if k != "head_dim"},
        {"num_attention_heads": 4, "num_key_value_heads": 4},
        legacy_buffers=True,
    ),
    Case("llama-gqa", llama(), {"rope_theta": 12_000.0}),
    Case("llama-mqa", llama(num_key_value_heads=1), {"rope_theta": 12_000.0}),
    Case("llama-sliding-window", mistral(sliding_window=21), {"sliding_window": 22}),
    Case("llama-rope-linear", llama(rope_scaling={"type": "linear", "factor": 4.0}), {"rope_scaling": None}),
    # With this base four of the eight frequencies are kept, two are blended and two are divided.
    Case(
        "llama-rope-llama3",
        llama(rope_theta=500.0, max_position_embeddings=4_096, rope_scaling=LLAMA3_ROPE),
        {"rope_scaling": LLAMA3_ROPE | {"high_freq_factor": 5.0}},
    ),
    Case("llama-untied", llama(tie_word_embeddings=False), {"tie_word_embeddings": True}),
    Case("llama-bias", llama(attention_bias=True, mlp_bias=True), {"rope_theta": 12_000.0}),
    Case("qwen2-bias", qwen2(rope_parameters={"rope_type": "default", "rope_theta": 1_000.0}), {"rope_parameters": None}),
    Case("qwen2-late-window", qwen2(use_sliding_window=True, sliding_window=16, max_window_layers=1), {"max_window_layers": 0}),
    Case("llama-sharded", llama(tie_word_embeddings=False), {"tie_word_embeddings": True}, shards=2),
    Case("llama-f16", llama(), {"rope_theta": 12_000.0}, dtype=torch.float16),
    Case("llama-bf16", llama(), {"rope_theta": 12_000.0}, dtype=torch.bfloat16),
    Case("gpt2-tied", gpt2(n_inner=64), {"n_head": 4}, legacy_buffers=True),
    Case("gpt2-prefixed", gpt2(), {"n_head": 4}, prefix="transformer."),
    Case("llama-gelu", llama(hidden_act="gelu"), {"hidden_act": "silu"}),
    Case("llama-relu2", llama(hidden_act="relu2"), {"hidden_act": "silu"}),
    Case("llama-rope-dynamic", llama(rope_scaling={"type": "dynamic", "factor": 4.0}), {"rope_scaling": {"type": "linear", "factor": 4.0}}),
    # With this base the ramp has pairs that are kept, pairs that are divided, and some between.
    Case(
        "llama-rope-yarn",
        llama(rope_theta=500.0, max_position_embeddings=1_024, rope_scaling=YARN_ROPE),
        {"rope_scaling": YARN_ROPE | {"beta_fast": 16}},
    ),
    Case(
        "ministral-alternating",
        family("MinistralForCausalLM", "ministral", num_hidden_layers=3, sliding_window=21)
        | {"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]},
        {"layer_types": ["full_attention", "sliding_attention", "full_attention"]},
    ),
    Case("qwen3", family("Qwen3ForCausalLM", "qwen3", rms_norm_eps=1e-6), {"rope_theta": 12_000.0}),
    Case(
        "smollm3",
        family("SmolLM3ForCausalLM", "smollm3", num_hidden_layers=3, no_rope_layer_interval=2, rope_theta=2_000.0),
        {"no_rope_layer_interval": 3},
    ),
    Case("gemma2", gemma2(), {"attn_logit_softcapping": 6.0}),
    Case("gemma2-uncapped", gemma2(attn_logit_softcapping=None, final_logit_softcapping=None), {"sliding_window": 22}),
    Case(
        "gemma3",
        gemma3(rope_theta=5_000.0, rope_local_base_freq=300.0, rope_scaling={"rope_type": "linear", "factor": 4.0}),
        {"rope_local_base_freq": 5_000.0},
    ),
    # The same positions, in newer files' words.
    Case("gemma3-nested", gemma3(rope_parameters=GEMMA3_ROPE), {"rope_parameters": GEMMA3_ROPE | {"sliding_attention": GEMMA3_ROPE["full_attention"]}}),
    Case(
        "gemma3-vision",
        {
            "architectures": ["Gemma3ForConditionalGeneration"],
            "model_type": "gemma3",
            "image_token_index": 95,
            "mm_tokens_per_image": 4,
            "text_config": GEMMA3_TEXT,
            "vision_config": {"hidden_size": 8, "model_type": "siglip_vision_model"},
        },
        {"text_config": GEMMA3_TEXT | {"sliding_window": 22}},
        dtype=torch.bfloat16,
    ),
    Case("phi3", phi3(num_hidden_layers=3, sliding_window=21), {"sliding_window": 22}),
    Case(
        "phi3-longrope",
        phi3(original_max_position_embeddings=32, partial_rotary_factor=0.75, rope_scaling=LONG_ROPE),
        {"original_max_position_embeddings": 1_024},
    ),
    Case(
        "phi3-shortrope",
        phi3(partial_rotary_factor=0.75, rope_scaling=LONG_ROPE),
        {"original_max_position_embeddings": 32},
    ),
    Case("granite", family("GraniteForCausalLM", "granite", **GRANITE), GRANITE | {"residual_multiplier": 0.75}),
    Case("olmo2", family("Olmo2ForCausalLM", "olmo2", tie_word_embeddings=False), {"rope_theta": 12_000.0}),
    Case("gpt-neox", gpt_neox(), {"rotary_pct": 0.5}),
    Case("gpt-neox-sequential", gpt_neox(use_parallel_residual=False, hidden_act="gelu_new"), {"use_parallel_residual": True}),
    Case("stablelm", stablelm(), {"partial_rotary_factor": 0.5}),
    Case("stablelm-parallel", stablelm(use_qkv_bias=False, use_parallel_residual=True, qk_layernorm=True), {"qk_layernorm": False}),
    Case(
        "mixtral",
        family("MixtralForCausalLM", "mixtral", num_local_experts=4, num_experts_per_tok=2, intermediate_size=24, sliding_window=None),
        {"num_experts_per_tok": 3},
    ),
    Case(
        "qwen3-moe",
        family("Qwen3MoeForCausalLM", "qwen3_moe", num_hidden_layers=3, num_experts=5, num_experts_per_tok=2, moe_intermediate_size=20)
        | {"norm_topk_prob": True, "mlp_only_layers": [1], "decoder_sparse_step": 1},
        {"norm_topk_prob": False},
    ),
    Case(
        "olmoe",
        family("OlmoeForCausalLM", "olmoe", num_experts=5, num_experts_per_tok=2, intermediate_size=20, tie_word_embeddings=False)
        | {"norm_topk_prob": False, "clip_qkv": None},
        {"norm_topk_prob": True},
    ),
]


def prompts(case: Case) -> list[list[int]]:
    generator = case.generator
    return [torch.randint(case.config.get("text_config", case.config)["vocab_size"], (length,), generator=generator).tolist() for length, _ in PROMPTS]


def shards(case: Case, tensors: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """The tensors in runs of about equal count."""
    names = list(tensors)
    size = math.ceil(len(names) / case.shards)
    return [{name: tensors[name] for name in names[start : start + size]} for start in range(0, len(names), size)]
