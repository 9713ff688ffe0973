"""MATLAB files: what SciPy writes and reads is read the same; damage is an error, never a crash."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat, savemat

from watchword.errors import DatasetError
from watchword.evaluation.datasets.matlab_file import mat_variables

NUMBERS = st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "bool"])
ARRAYS = hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=5))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    values=st.dictionaries(st.sampled_from(["a", "b2", "a_long_name"]), ARRAYS, max_size=3),
    cells=st.lists(ARRAYS, min_size=1, max_size=4),
    compressed=st.booleans(),
)
def test_arrays_and_cells_are_read_as_scipy_reads_them(tmp_path, values, cells, compressed):
    path = tmp_path / "m.mat"
    cell = np.empty((1, len(cells)), object)
    cell[0, :] = cells
    savemat(path, {**values, "cell": cell}, do_compression=compressed)
    found, expected = mat_variables(path), loadmat(path)
    assert set(found) == {*values, "cell"}
    for name in values:
        np.testing.assert_array_equal(found[name], expected[name])
    assert found["cell"].shape == expected["cell"].shape
    for got, want in zip(found["cell"].flat, expected["cell"].flat, strict=True):
        np.testing.assert_array_equal(got, want)


def test_what_is_no_array_of_numbers_is_none(tmp_path):
    path = tmp_path / "m.mat"
    savemat(path, {"word": "text", "record": {"a": 1}, "complex": np.eye(2) * 1j, "n": [[1]]})
    found = mat_variables(path)
    assert {name for name, value in found.items() if value is None} == {
        "word", "record", "complex",
    }  # fmt: skip
    assert found["n"] == [[1]]


def test_a_file_of_the_other_byte_order_is_read(tmp_path):
    """As MATLAB on a big-endian machine wrote them: 2x2 doubles kept as bytes, by hand."""

    def element(kind, data):
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    inside = (
        element(6, struct.pack(">II", 6, 0))
        + element(5, struct.pack(">ii", 2, 2))
        + struct.pack(">HH", 1, 1) + b"m\0\0\0"
        + struct.pack(">HH", 4, 2) + bytes([1, 2, 3, 4])
    )  # fmt: skip
    path = tmp_path / "m.mat"
    head = b"MATLAB 5.0 MAT-file, Platform: SOL2".ljust(124) + b"\x01\x00MI"
    path.write_bytes(head + element(14, inside))
    found = mat_variables(path)
    # Columns first.
    assert found["m"].tolist() == [[1, 3], [2, 4]]
    assert loadmat(path)["m"].tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_files_are_errors_and_no_crashes(tmp_path, compressed):
    path = tmp_path / "m.mat"
    cell = np.empty((1, 6), object)
    cell[0, :] = list(np.random.default_rng(0).integers(0, 2, (6, 5, 7), np.uint8))
    savemat(path, {"volLabel": cell, "x": np.eye(3)}, do_compression=compressed)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(600):
        bad = bytearray(whole)
        for at in rng.integers(0, len(bad), 3):
            bad[at] = rng.integers(256)
        path.write_bytes(bad[: rng.integers(1, len(bad) + 1)])
        with contextlib.suppress(DatasetError):
            mat_variables(path)
            refused -= 1
        refused += 1
    assert refused > 450


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", "it is only 0 bytes long"),
        (b"\0" * 200, "it lacks the head"),
        (b"MATLAB".ljust(124) + b"\x00\x02IM", r"version 7.3 .* save\(.*'-v7'\)"),
        (b"MATLAB".ljust(124) + b"\x00\x03IM", "its version is 0x0300"),
        (b"MATLAB".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 14, 99), "does not fit in"),
    ],
)
def test_other_files_are_refused(tmp_path, head, message):
    path = tmp_path / "m.mat"
    path.write_bytes(head)
    with pytest.raises(DatasetError, match=message):
        mat_variables(path)


def test_cells_within_cells_without_end_are_refused(tmp_path):
    def element(kind, data):
        return struct.pack("<II", kind, len(data)) + data

    inside = b""
    for _ in range(3000):
        head = element(6, struct.pack("<II", 1, 0)) + element(5, struct.pack("<ii", 1, 1))
        inside = element(14, head + element(1, b"") + inside)
    path = tmp_path / "m.mat"
    path.write_bytes(b"MATLAB".ljust(124) + b"\x00\x01IM" + inside)
    with pytest.raises(DatasetError, match="cannot be read as a MATLAB file"):
        mat_variables(path)
