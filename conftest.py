"""What is looked for in this checkout."""

from importlib.util import find_spec

# Doctests are looked for in every module, and these import torch, which is optional.
NEED_TORCH = ["adapter", "checkpoint.py", "risk"]
collect_ignore = [] if find_spec("torch") else [f"src/watchword/train/{n}" for n in NEED_TORCH]
