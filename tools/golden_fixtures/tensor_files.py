"""Reads and writes the tensors of a Hugging Face folder: safetensors files, one or several with an index."""

import json
import struct
from pathlib import Path

import torch
from torch import Tensor

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
NAMES = {dtype: name for name, dtype in TYPES.items()}
SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> int:
    """Writes one file and returns its payload's bytes: header length (u64), JSON header, padded to 8 bytes, then the tensors row by row."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    payload = bytearray()
    for name, tensor in tensors.items():
        # A view as bytes: numpy has no bfloat16.
        data = bytes(tensor.contiguous().view(torch.uint8).flatten().numpy())
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(payload), len(payload) + len(data)]}
        payload += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + payload)
    return len(payload)


def write_shards(folder: Path, shards: list[dict[str, Tensor]]) -> None:
    """Writes one file for each of the shards, and the index that says which tensor is where."""
    where: dict[str, str] = {}
    total = 0
    for number, shard in enumerate(shards, start=1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        total += write_tensors(folder / name, shard)
        where.update({tensor: name for tensor in shard})
    index = {"metadata": {"total_size": total}, "weight_map": where}
    (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads one file, with each tensor in the type it is stored in."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    payload = bytearray(data[8 + length :])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype, shape = TYPES[entry["dtype"]], entry["shape"]
        tensors[name] = torch.frombuffer(payload[begin:end], dtype=dtype).reshape(shape)
    return tensors


def read_folder(folder: Path) -> dict[str, Tensor]:
    """Reads every weight of a folder as float64: what is stored, exactly."""
    if (folder / INDEX).exists():
        files = sorted(set(json.loads((folder / INDEX).read_text())["weight_map"].values()))
    else:
        files = [SINGLE]
    return {name: tensor.double() for file in files for name, tensor in read_tensors(folder / file).items()}
