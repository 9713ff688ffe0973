"""The package as a whole: light to import, exact in what it exports, one direction of imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import watchword

SOURCE = Path(watchword.__file__).parent
HEAVY = (
    *("numpy", "av", "cv2", "onnxruntime", "torch"),
    *("transformers", "matplotlib", "pydantic", "rich"),
)


def loaded_after(code: str) -> set[str]:
    script = f"import sys; {code}; print(' '.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_importing_the_package_or_the_command_loads_nothing_heavy() -> None:
    for code in ("import watchword", "import watchword.cli.main"):
        assert not loaded_after(code) & set(HEAVY)


def test_the_test_above_can_fail() -> None:
    assert "numpy" in loaded_after("import watchword.types")


def test_every_public_name_exists_and_they_are_sorted() -> None:
    assert watchword.__all__ == ["__version__", *sorted(watchword.__all__[1:])]
    for name in watchword.__all__:
        assert getattr(watchword, name) is not None
    assert dir(watchword) == sorted(watchword.__all__)


def test_no_module_imports_from_the_front_of_a_package() -> None:
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    fronts = {"watchword"} | {f"watchword.{room}" for room in rooms}
    wrong = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in fronts:
                folder = SOURCE / "/".join((node.module or "").split(".")[1:])
                names = [alias.name for alias in node.names]
                modules = {p.stem for p in folder.glob("*.py")} | {
                    p.name for p in folder.iterdir() if p.is_dir()
                }
                wrong += [f"{path.name}: {n}" for n in names if n not in modules | {"__version__"}]
    assert wrong == []


def test_the_changelog_knows_this_version() -> None:
    changelog = (SOURCE.parent.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {watchword.__version__}" in changelog
