"""What the families are made of, beside attention and rotary positions."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


class Block:
    """The weights of one layer, by their names inside it."""

    def __init__(self, weights: dict[str, Tensor], prefix: str):
        self._weights = weights
        self._prefix = prefix

    def __getitem__(self, name: str) -> Tensor:
        return self._weights[self._prefix + name]

    def __contains__(self, name: str) -> bool:
        return self._prefix + name in self._weights

    def inside(self, prefix: str) -> "Block":
        return Block(self._weights, self._prefix + prefix)

    def linear(self, name: str, x: Tensor) -> Tensor:
        """x W^T, plus the bias where the checkpoint has one."""
        return functional.linear(x, self[name + ".weight"], self._weights.get(f"{self._prefix}{name}.bias"))

    def layer_norm(self, name: str, x: Tensor, epsilon: float) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], self[name + ".weight"], self._weights.get(f"{self._prefix}{name}.bias"), epsilon)


def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight


def silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def gelu(x: Tensor) -> Tensor:
    """GELU as it is defined."""
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def gelu_tanh(x: Tensor) -> Tensor:
    """The tanh form of GELU."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x.pow(3))))


def relu2(x: Tensor) -> Tensor:
    return x.clamp(min=0).pow(2)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": silu,
    "gelu": gelu,
    "gelu_new": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "relu2": relu2,
}


def gated(block: Block, x: Tensor, activation: Callable[[Tensor], Tensor], names: tuple[str, str, str]) -> Tensor:
    """down(f(gate(x)) * up(x)), with the names of gate, up and down."""
    gate, up, down = names
    return block.linear(down, activation(block.linear(gate, x)) * block.linear(up, x))


MLP = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
EXPERT = ("gate_proj", "up_proj", "down_proj")


def experts(
    x: Tensor, scores: Tensor, per_token: int, normalised: bool, expert: Callable[[int, Tensor], Tensor]
) -> Tensor:
    """The mixture of each row's best experts by their softmax weights, [positions, hidden]; row by row."""
    rows = []
    for row, score in zip(x, scores):
        weights, chosen = torch.softmax(score, dim=-1).topk(per_token)
        if normalised:
            weights = weights / weights.sum()
        rows.append(sum(weight * expert(index, row[None])[0] for weight, index in zip(weights, chosen.tolist())))
    return torch.stack(rows)
