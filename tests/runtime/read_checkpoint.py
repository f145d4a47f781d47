"""Prints the metadata and tensors of a checkpoint as the safetensors package reads them: read_checkpoint.py FILE"""
import sys

from safetensors import safe_open

with safe_open(sys.argv[1], framework="numpy") as file:
    for key, value in sorted(file.metadata().items()):
        print(f"{key} = {value}")
    for name in sorted(file.keys()):
        tensor = file.get_tensor(name)
        print(name, tensor.dtype, list(tensor.shape), tensor.ravel()[:8].tolist())
