"""What Torch runs on, as HOWSFIT_DEVICE says. For engines on Torch: nothing else imports this."""

import os

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


def multiplies_bfloat16(cpuinfo: str = "/proc/cpuinfo") -> bool:
    """Whether the processor has instructions for it; without, bfloat16 is slower than float32."""
    if not os.path.exists(cpuinfo):
        return False
    with open(cpuinfo) as file:
        flags = file.read().split()
    return "avx512_bf16" in flags or "amx_bf16" in flags
