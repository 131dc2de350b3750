"""What Torch runs on, as HOWSFIT_DEVICE says. For engines on Torch: nothing else imports this."""

import os
from typing import Any, Dict

import torch


def choose_device(wanted: str) -> torch.device:
    """wanted: cpu, cuda, or auto for cuda where there is one. Raises ValueError for cuda where there is none."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ValueError("HOWSFIT_DEVICE=cuda, but Torch %s sees no CUDA device here." % torch.__version__)
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def move(module: torch.nn.Module, device: torch.device) -> None:
    """Bring a module's arrays to a device, and give back what they took on the other one. Those on `meta` stay there."""
    for array in [*module.parameters(), *module.buffers()]:
        if array.device.type != "meta":
            array.data = array.data.to(device)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def numerics(device: torch.device) -> Dict[str, Any]:
    """For an engine's `options`: what differs in the last digits, another Torch or another number of threads."""
    return {
        "device": device.type,
        "torch": torch.__version__,
        "threads": torch.get_num_threads() if device.type == "cpu" else 0,
    }


def precision_name(precision: torch.dtype) -> str:
    """Such as float32."""
    return str(precision).replace("torch.", "")


def device_name(device: torch.device) -> str:
    """For an engine's `runtime`: the card's name, or cpu."""
    return str(torch.cuda.get_device_name()) if device.type == "cuda" else "cpu"


def multiplies_bfloat16(cpuinfo: str = "/proc/cpuinfo") -> bool:
    """Whether the processor has instructions for it; without, bfloat16 is slower than float32."""
    if not os.path.exists(cpuinfo):
        return False
    with open(cpuinfo) as file:
        flags = file.read().split()
    return "avx512_bf16" in flags or "amx_bf16" in flags
