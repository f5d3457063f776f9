"""Rotary positions and the ways to stretch them, from the papers and the configurations that name them."""

import math

import torch
from torch import Tensor


def rotate(x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
    """Rotates pairs (i, i + dim / 2) of the first dim elements of x [heads, positions, head_dim]: Hugging Face's order, not interleaved pairs."""
    cosine, sine = tables
    turned, kept = x[..., : cosine.shape[-1]], x[..., cosine.shape[-1] :]
    first, second = turned.chunk(2, dim=-1)
    return torch.cat((turned * cosine + torch.cat((-second, first), dim=-1) * sine, kept), dim=-1)


def tables(positions: int, dim: int, base: float, scaling: dict, context: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of every position's angles: [positions, dim], the second half a copy of the first.

    `scaling` is what the configuration says beside the base, `context` its max_position_embeddings.
    """
    plain = base ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    stretched, magnitude = stretch(plain, dim, base, scaling, context)
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * stretched[None, :]
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos() * magnitude, angles.sin() * magnitude


def stretch(plain: Tensor, dim: int, base: float, scaling: dict, context: int) -> tuple[Tensor, float]:
    """The frequencies after scaling, and the factor on what is turned."""
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    # The dynamic base grows for sequences longer than the context only.
    if kind in ("default", "dynamic"):
        return plain, 1.0
    if kind == "linear":
        return plain / scaling["factor"], 1.0
    if kind == "llama3":
        return torch.stack([llama3(f, scaling) for f in plain]), 1.0
    if kind == "yarn":
        return yarn(plain, dim, base, scaling, context)
    if kind == "longrope":
        return longrope(plain, scaling, context)
    raise ValueError(f"rope scaling {kind} is not implemented")


def llama3(frequency: Tensor, scaling: dict) -> Tensor:
    """Llama 3.1's scaling: high frequencies stay, low ones are divided by the factor, those between are blended by their turns in the old context."""
    turns = scaling["original_max_position_embeddings"] * frequency / (2 * math.pi)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return kept * frequency + (1 - kept) * frequency / scaling["factor"]


def yarn(plain: Tensor, dim: int, base: float, scaling: dict, context: int) -> tuple[Tensor, float]:
    """YaRN (arXiv 2309.00071): a ramp over the pairs, from those that turn beta_fast times in the old context to those that turn beta_slow times."""
    factor, original = scaling["factor"], scaling.get("original_max_position_embeddings", context)

    def pair(turns: float) -> float:
        return dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))

    first, last = pair(scaling.get("beta_fast", 32)), pair(scaling.get("beta_slow", 1))
    if scaling.get("truncate", True):
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, dim - 1)
    divided = ((torch.arange(dim // 2, dtype=torch.float64) - first) / (last - first)).clamp(0, 1)
    magnitude = scaling.get("attention_factor") or 0.1 * math.log(factor) + 1
    return plain / factor * divided + plain * (1 - divided), magnitude


def longrope(plain: Tensor, scaling: dict, context: int) -> tuple[Tensor, float]:
    """LongRoPE (arXiv 2402.13753): each frequency divided by a factor of its own; one list for the trained context, one for a longer one."""
    original = scaling["original_max_position_embeddings"]
    factors = torch.tensor(scaling["long_factor" if context > original else "short_factor"], dtype=torch.float64)
    growth = context / original
    return plain / factors, math.sqrt(1 + math.log(growth) / math.log(original)) if growth > 1 else 1.0
