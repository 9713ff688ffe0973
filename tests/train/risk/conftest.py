"""Without the vlm extra only what needs no model is tested here."""

from __future__ import annotations

from importlib.util import find_spec

_MISSING = not all(find_spec(name) for name in ("torch", "transformers", "peft"))
collect_ignore = ["test_model.py", "test_fit.py"] if _MISSING else []
