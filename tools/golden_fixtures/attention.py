"""Causal attention, as every family uses it."""

import math

import torch
from torch import Tensor


def attend(
    query: Tensor, key: Tensor, value: Tensor, window: int | None = None, scale: float | None = None, cap: float | None = None
) -> Tensor:
    """Scaled dot-product attention of every position over itself and what comes before it.

    query [heads, positions, head_dim]; key, value [kv_heads, positions, head_dim]; result [positions, heads * head_dim].
    Consecutive query heads share a key-value head. With a window, a position sees that many positions, itself included.
    Scores are scaled by 1 / sqrt(head_dim) unless told otherwise; with a cap they become cap * tanh(score / cap).
    """
    heads, positions, head_dim = query.shape
    key = key.repeat_interleave(heads // key.shape[0], dim=0)
    value = value.repeat_interleave(heads // value.shape[0], dim=0)
    if scale is None:
        scores = query @ key.transpose(1, 2) / math.sqrt(head_dim)
    else:
        scores = query @ key.transpose(1, 2) * scale
    if cap is not None:
        scores = cap * torch.tanh(scores / cap)

    distance = torch.arange(positions)[:, None] - torch.arange(positions)[None, :]
    hidden = distance < 0
    if window is not None:
        hidden = hidden | (distance >= window)
    scores = scores.masked_fill(hidden, -math.inf)

    mixed = torch.softmax(scores, dim=-1) @ value
    return mixed.transpose(0, 1).reshape(positions, heads * head_dim)


def split_heads(rows: Tensor, heads: int) -> Tensor:
    """[positions, heads * head_dim] to [heads, positions, head_dim]."""
    return rows.reshape(rows.shape[0], heads, -1).transpose(0, 1)
