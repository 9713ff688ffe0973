"""What is looked for in this checkout."""

from importlib.util import find_spec

# Doctests are looked for in every module, and these import torch, which is optional.
collect_ignore = (
    [] if find_spec("torch") else ["src/watchword/train/adapter", "src/watchword/train/risk"]
)
