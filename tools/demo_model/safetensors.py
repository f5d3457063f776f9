"""The safetensors format: eight bytes of header length, a JSON header, and the tensors one after another, little-endian."""

import json
import struct
from pathlib import Path

import torch
from torch import Tensor

_NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
_TYPES = {name: dtype for dtype, name in _NAMES.items()}


def save(path: Path, tensors: dict[str, Tensor]) -> None:
    header: dict[str, dict] = {}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.element_size() * tensor.numel()
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            words = tensor.detach().contiguous()
            file.write((words.view(torch.int16) if words.element_size() == 2 else words).numpy().tobytes())


def load(path: Path) -> dict[str, Tensor]:
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=_TYPES[entry["dtype"]]).view(entry["shape"])
    return tensors


def load_folder(folder: Path) -> dict[str, Tensor]:
    """All tensors of a model, in one file or several."""
    tensors: dict[str, Tensor] = {}
    for path in sorted(folder.glob("model*.safetensors")):
        tensors.update(load(path))
    return tensors


def load_model(folder: Path) -> dict[str, Tensor]:
    """An exported model's parameters in float32, named as in `model.Llama`."""
    return {name.removeprefix("model."): tensor.float() for name, tensor in load_folder(folder).items()}
