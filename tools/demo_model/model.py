"""The demo model as it is trained: a Llama decoder in plain PyTorch."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Config:
    vocabulary: int = 1280
    hidden: int = 192
    intermediate: int = 384
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5
    max_positions: int = 2048

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads


class RmsNorm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rope_table(config: Config) -> tuple[Tensor, Tensor]:
    """Cosines and sines [max_positions, head_dim], both halves alike (rotate_half convention)."""
    frequency = config.rope_theta ** (-torch.arange(0, config.head_dim, 2).float() / config.head_dim)
    angle = torch.arange(config.max_positions).float()[:, None] * frequency
    angle = torch.cat((angle, angle), -1)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


class Attention(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.q_proj = nn.Linear(config.hidden, config.heads * config.head_dim, bias=False)
        self.k_proj = nn.Linear(config.hidden, config.kv_heads * config.head_dim, bias=False)
        self.v_proj = nn.Linear(config.hidden, config.kv_heads * config.head_dim, bias=False)
        self.o_proj = nn.Linear(config.heads * config.head_dim, config.hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, past: list[Tensor] | None) -> Tensor:
        """x: [rows, tokens, hidden]. mask: [rows, 1, 1, tokens, tokens], added to the scores. past: keys and values, replaced by the longer ones."""
        c = self.config
        rows, tokens, _ = x.shape
        group = c.heads // c.kv_heads
        q = rotate(self.q_proj(x).view(rows, tokens, c.heads, c.head_dim).transpose(1, 2), cos, sin)
        k = rotate(self.k_proj(x).view(rows, tokens, c.kv_heads, c.head_dim).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(rows, tokens, c.kv_heads, c.head_dim).transpose(1, 2)
        if past is not None:
            if past:
                k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
            past[:] = [k, v]
        q = (q * c.head_dim**-0.5).reshape(rows, c.kv_heads, group * tokens, c.head_dim)
        scores = (q @ k.transpose(2, 3)).view(rows, c.kv_heads, group, tokens, -1)
        if mask is not None:
            scores = scores + mask
        weights = scores.softmax(-1).view(rows, c.kv_heads, group * tokens, -1)
        mixed = (weights @ v).view(rows, c.heads, tokens, c.head_dim).transpose(1, 2)
        return self.o_proj(mixed.reshape(rows, tokens, -1))


class FeedForward(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden, config.intermediate, bias=False)
        self.up_proj = nn.Linear(config.hidden, config.intermediate, bias=False)
        self.down_proj = nn.Linear(config.intermediate, config.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.input_layernorm = RmsNorm(config.hidden, config.norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RmsNorm(config.hidden, config.norm_eps)
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, past: list[Tensor] | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask, past)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """Parameter names are Hugging Face's without the leading `model.`."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocabulary, config.hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = RmsNorm(config.hidden, config.norm_eps)
        cos, sin = rope_table(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                deviation = 0.02 if "embed" in name else parameter.shape[1] ** -0.5
                nn.init.normal_(parameter, std=deviation / ((2 * config.layers) ** 0.5 if "o_proj" in name or "down_proj" in name else 1.0))

    def hidden_states(self, ids: Tensor, mask: Tensor | None = None, past: list[list[Tensor]] | None = None) -> Tensor:
        """ids: [rows, tokens] to [rows, tokens, hidden] after the last norm."""
        start = past[0][0].shape[2] if past and past[0] else 0
        cos, sin = self.cos[start:start + ids.shape[1]], self.sin[start:start + ids.shape[1]]
        x = self.embed_tokens(ids)
        for index, layer in enumerate(self.layers):
            x = layer(x, cos, sin, mask, past[index] if past is not None else None)
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.embed_tokens.weight)
