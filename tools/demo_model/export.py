"""Writes the trained weights as a Hugging Face folder: `export.py --run FOLDER --out FOLDER`. The tokenizer's files must be there already."""

import argparse
import json
from pathlib import Path

import torch

import safetensors
from model import Config, Llama
from tokenizer import END_OF_TEXT, IM_END, IM_START, Tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder with checkpoint.pt")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    options = parser.parse_args()
    config = Config()
    model = Llama(config)
    saved = torch.load(options.run / "checkpoint.pt")
    model.load_state_dict(saved["average"])
    safetensors.save(options.out / "model.safetensors", {f"model.{name}": parameter.to(torch.bfloat16) for name, parameter in model.named_parameters()})
    vocabulary = Tokenizer.load(options.out).vocabulary
    ids = {"bos_token_id": vocabulary[IM_START], "eos_token_id": vocabulary[IM_END], "pad_token_id": vocabulary[END_OF_TEXT]}
    write(options.out / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": config.vocabulary, "hidden_size": config.hidden, "intermediate_size": config.intermediate,
        "num_hidden_layers": config.layers, "num_attention_heads": config.heads, "num_key_value_heads": config.kv_heads, "head_dim": config.head_dim, "hidden_act": "silu",
        "max_position_embeddings": config.max_positions, "rms_norm_eps": config.norm_eps, "rope_theta": config.rope_theta, "rope_scaling": None, "attention_bias": False, "mlp_bias": False,
        "tie_word_embeddings": True, "torch_dtype": "bfloat16", **ids,
    })
    write(options.out / "generation_config.json", {"eos_token_id": ids["eos_token_id"], "pad_token_id": ids["pad_token_id"], "do_sample": False})
    print(f"step {saved['step']}: {sum(parameter.numel() for parameter in model.parameters())} parameters")


def write(path: Path, document: dict) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
