"""Real data: tables, standardisation, readers, and the shares of a prediction."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from flowsam.data import Data
from flowsam.margin import margin_certificate, max_margin, separability
from flowsam.real_data.shares import major_share, share_by_rank
from flowsam.real_data.tables import Table, breast_cancer_table, digit_table, read_csv, read_idx


def test_standardised() -> None:
    """Training features have mean 0 and spread 1; constants become 0; the test part has no say."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(5, 3, 40), rng.normal(-2, 0.1, 40), np.full(40, 7.0)])
    table = Table(X, rng.permutation(np.repeat([0, 1], 20)), "noise")
    train, test = table.standardised(test=0.25, seed=1)
    assert train.z.shape == (30, 4)
    assert test.z.shape == (10, 4)
    x = train.z[:, :3] * train.z[:, 3:]
    np.testing.assert_allclose(x.mean(axis=0), 0.0, atol=1e-14)
    np.testing.assert_allclose(x.std(axis=0), [1.0, 1.0, 0.0], atol=1e-14)
    assert (np.abs(train.z[:, 3]) == 1).all()
    alone, none = table.standardised(bias=False)
    assert alone.z.shape == (40, 3)
    assert none is None


@pytest.mark.parametrize(
    ("name", "bias"), [("digits", True), ("digits", False), ("breast_cancer", True)]
)
def test_bundled_sets_separate(name, bias) -> None:
    """Both bundled sets separate, and their max margins meet the KKT conditions to 1e-10."""
    pytest.importorskip("sklearn")
    table = digit_table(3, 5) if name == "digits" else breast_cancer_table()
    data, _ = table.standardised(bias=bias)
    assert separability(data).separable
    for norm in (1, 2):
        certificate = margin_certificate(data, norm, max_margin(data, norm))
        assert certificate.kkt_residual < 1e-10
        assert certificate.unique


def test_raw_breast_cancer_table() -> None:
    """Features spread over seven decades: least margin one to 1e-10 all the same."""
    pytest.importorskip("sklearn")
    table = breast_cancer_table()
    data = Data(table.y[:, None] * table.X)
    for norm in (1, 2):
        beta = max_margin(data, norm)
        assert (data.z @ beta).min() == pytest.approx(1.0, abs=1e-10)
        assert margin_certificate(data, norm, beta).kkt_residual < 1e-10


def test_csv(tmp_path) -> None:
    """Words or numbers as labels; a bad entry or column is named."""
    path = tmp_path / "flowers.csv"
    path.write_text("length, kind,width\n1.5,rose,2\n2.5,daisy,1\n\n")
    table = read_csv(path, "kind")
    np.testing.assert_array_equal(table.X, [[1.5, 2.0], [2.5, 1.0]])
    np.testing.assert_array_equal(table.y, [1.0, -1.0])
    assert table.name == "flowers"
    with pytest.raises(ValueError, match="no column 'colour'; it has length, kind, width"):
        read_csv(path, "colour")
    path.write_text("a,b\n1,2\nx,3\n")
    with pytest.raises(ValueError, match="in row 2"):
        read_csv(path, "b")
    path.write_text("a,b\n")
    with pytest.raises(ValueError, match="header and rows"):
        read_csv(path, "b")


@pytest.mark.parametrize("zipped", [False, True])
def test_idx(tmp_path, zipped) -> None:
    """An IDX folder as MNIST has it, plain or gzipped."""
    images = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2)
    files = {
        "train-images-idx3-ubyte": b"\0\0\x08\x03" + struct.pack(">3i", 3, 2, 2) + images.tobytes(),
        "train-labels-idx1-ubyte": b"\0\0\x08\x01" + struct.pack(">i", 3) + bytes([5, 1, 3]),
    }
    for name, raw in files.items():
        path = tmp_path / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(raw) if zipped else raw)
    table = read_idx(tmp_path, 3, 5)
    np.testing.assert_allclose(table.X, images[[0, 2]].reshape(2, 4) / 255.0)
    np.testing.assert_array_equal(table.y, [-1.0, 1.0])


def test_foreign_idx(tmp_path) -> None:
    """Missing and foreign files say so."""
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte"):
        read_idx(tmp_path, 3, 5)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"not an IDX file")
    with pytest.raises(ValueError, match="no IDX file"):
        read_idx(tmp_path, 3, 5)


def test_bad_tables() -> None:
    """One line each."""
    with pytest.raises(ValueError, match="exactly two classes, got 3"):
        Table(np.ones((3, 1)), [1, 2, 3])
    with pytest.raises(ValueError, match="one label a row"):
        Table(np.ones((3, 1)), [1, 2])
    with pytest.raises(ValueError, match="0 <= test < 1, got 1"):
        Table(np.ones((2, 1)), [1, 2]).standardised(test=1)


def test_shares() -> None:
    """Shares sum to 1 over groups, skip idle features, and are nan where beta is 0."""
    data = Data([[4.0, 0.0, -1.0, 3.0, 2.0]])
    shares = share_by_rank(data, [[1.0, 9.0, 1.0, 1.0, 1.0], [0.0] * 5], groups=2)
    np.testing.assert_allclose(shares[0], [0.7, 0.3])
    assert np.isnan(shares[1]).all()
    assert major_share(data, np.ones(5)) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="beta needs 5 features"):
        major_share(data, np.ones(3))


def test_byte_order_mark_and_double_names(tmp_path) -> None:
    """A mark before the header is no part of a name; two columns of one name are refused."""
    path = tmp_path / "marked.csv"
    path.write_text("\ufeffy,a\n0,1\n1,2\n", encoding="utf-8")
    assert read_csv(path, "y").X.tolist() == [[1.0], [2.0]]
    path.write_text("y,a,a\n0,1,3\n1,2,4\n", encoding="utf-8")
    with pytest.raises(ValueError, match="'a' twice"):
        read_csv(path, "y")
