"""What Torch runs on, as HOWSFIT_DEVICE says. For engines on Torch: nothing else imports this."""

import os

import torch


def choose_device(wanted: str) -> torch.device:
    """wanted: cpu, cuda, or auto for cuda where there is one. Raises ValueError for cuda where there is none."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ValueError("HOWSFIT_DEVICE=cuda, but Torch %s sees no CUDA device here." % torch.__version__)
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def multiplies_bfloat16(cpuinfo: str = "/proc/cpuinfo") -> bool:
    """Whether the processor has instructions for it; without, bfloat16 is slower than float32."""
    if not os.path.exists(cpuinfo):
        return False
    with open(cpuinfo) as file:
        flags = file.read().split()
    return "avx512_bf16" in flags or "amx_bf16" in flags
