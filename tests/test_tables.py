"""Real data: tables, standardisation, readers, and the shares of a prediction."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from flowsam.data import Data
from flowsam.margin import margin_certificate, max_margin, separability
from flowsam.real_data.leaning import share_by_rank
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
    with pytest.raises(ValueError, match="row 2"):
        read_csv(path, "b")
    path.write_text("a,b\n")
    with pytest.raises(ValueError, match="header and rows"):
        read_csv(path, "b")


def idx_folder(folder, zipped: bool, **changed: bytes) -> None:
    """Three 2 x 2 images labelled 5, 1, 3, as MNIST has them; `images` or `labels` replace them."""
    images = b"\0\0\x08\x03" + struct.pack(">3i", 3, 2, 2) + bytes(range(12))
    labels = b"\0\0\x08\x01" + struct.pack(">i", 3) + bytes([5, 1, 3])
    files = {"train-images-idx3-ubyte": changed.get("images", images)}
    files["train-labels-idx1-ubyte"] = changed.get("labels", labels)
    for name, raw in files.items():
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(raw) if zipped else raw)


@pytest.mark.parametrize("zipped", [False, True])
def test_idx(tmp_path, zipped) -> None:
    """An IDX folder as MNIST has it, plain or gzipped."""
    idx_folder(tmp_path, zipped)
    table = read_idx(tmp_path, 3, 5)
    pixels = np.arange(12.0).reshape(3, 4)
    np.testing.assert_allclose(table.X, pixels[[0, 2]] / 255.0)
    np.testing.assert_array_equal(table.y, [-1.0, 1.0])
    assert table.picture == (2, 2)


HEAD = b"\0\0\x08\x03"
LABELS = b"\0\0\x08\x01" + struct.pack(">i", 3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": b"not an IDX file"}, "its header is another"),
        ({"images": b""}, "its header is another"),
        ({"images": b"\0\0\x08\x03\0\0"}, "its header is another"),
        ({"images": b"\0\0\x0d\x03" + bytes(24)}, "its header is another"),
        ({"labels": LABELS + b"\5\1"}, "3 bytes that the header .* promises, got 2"),
        ({"labels": LABELS + b"\5\1\3\3"}, "promises, got 4"),
        ({"labels": LABELS[:7] + b"\1\3"}, r"got \(3, 2, 2\) and \(1,\)"),
        ({"labels": LABELS + b"\5\1\1"}, "got 3 and 5; it has 1, 5"),
        ({"images": HEAD + struct.pack(">3i", 3, 0, 2)}, r"images .*, got \(3, 0, 2\)"),
        ({"images": b"\0\0\x08\x41" + bytes(4 * 65)}, "its header is another"),
        ({"images": HEAD + struct.pack(">3i", -1, -1, -1)}, "needs the 7922816.* promises, got 0"),
        ({"labels": b"\0\0\x08\2" + struct.pack(">2i", 3, 1) + b"\5\3\3"}, r"and \(3, 1\)"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_idx_that_cannot_be(tmp_path, zipped, changed, message) -> None:
    """Foreign, cut and contradicting files: one line with the file and what is wrong."""
    idx_folder(tmp_path, zipped, **changed)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(tmp_path, 3, 5)
    assert "read_idx needs" in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-4], lambda raw: b"no" + raw[2:]])
def test_broken_gzip_is_said(tmp_path, spoil) -> None:
    """A download that stopped, and a file that only calls itself .gz."""
    idx_folder(tmp_path, True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=r"cannot read .*images.*gz .*fetch it again"):
        read_idx(tmp_path, 3, 5)


def test_missing_idx(tmp_path) -> None:
    """The file that is not there is named; equal labels are refused."""
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte"):
        read_idx(tmp_path, 3, 5)
    idx_folder(tmp_path, False)
    with pytest.raises(ValueError, match="two different labels .* got 3 and 3"):
        read_idx(tmp_path, 3, 3)


def test_bad_tables() -> None:
    """One line each."""
    with pytest.raises(ValueError, match="exactly two classes, got 3"):
        Table(np.ones((3, 1)), [1, 2, 3])
    with pytest.raises(ValueError, match="one label a row"):
        Table(np.ones((3, 1)), [1, 2])
    with pytest.raises(ValueError, match=r"X needs shape \(n, d\) with n, d >= 1, got \(3, 0\)"):
        Table(np.ones((3, 0)), [1, 2, 1])
    with pytest.raises(ValueError, match=r"test needs a share in \[0, 1\) .* got 1"):
        Table(np.ones((2, 1)), [1, 2]).standardised(test=1)


def test_shares() -> None:
    """Shares sum to 1 over groups, skip idle features, and are nan where beta is 0."""
    data = Data([[4.0, 0.0, -1.0, 3.0, 2.0]])
    shares = share_by_rank(data, [[1.0, 9.0, 1.0, 1.0, 1.0], [0.0] * 5], groups=2)
    np.testing.assert_allclose(shares[0], [0.7, 0.3])
    assert np.isnan(shares[1]).all()
    with pytest.raises(ValueError, match="beta needs 5 features"):
        share_by_rank(data, np.ones(3))


def test_byte_order_mark_and_double_names(tmp_path) -> None:
    """A mark before the header is no part of a name; two columns of one name are refused."""
    path = tmp_path / "marked.csv"
    path.write_text("\ufeffy,a\n0,1\n1,2\n", encoding="utf-8")
    assert read_csv(path, "y").X.tolist() == [[1.0], [2.0]]
    path.write_text("y,a,a\n0,1,3\n1,2,4\n", encoding="utf-8")
    with pytest.raises(ValueError, match="'a' twice"):
        read_csv(path, "y")


def test_a_constant_is_told_from_its_range() -> None:
    """Sums of 0.1 round; columns of 1e200 and 1e-200, or one ulp apart, do vary."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=7)
    X = np.column_stack(
        [np.full(7, 0.1), values * 1e200, values * 1e-200, values, np.full(7, 1e300),
         np.where(np.arange(7) < 3, 1.0, 1.0 + 2**-52), np.full(7, 5e-324) * (values > 0),
         np.where(values > 0, 1.7e308, -1.7e308)]
    )  # fmt: skip
    for chosen in (X, X[:3], X[:, :4]):
        y = np.arange(len(chosen)) % 2
        z = Table(chosen, y).standardised(bias=False)[0].z
        x = z * np.where(y > 0, 1.0, -1.0)[:, None]
        assert (x[:, 0] == 0).all()
        np.testing.assert_allclose(x[:, 1], x[:, 3], rtol=1e-13)
        np.testing.assert_allclose(x[:, 2], x[:, 3], rtol=1e-13)
        varies = np.ptp(chosen / 2, axis=0) > 0
        varies[6:7] = (chosen[:, 6:7] != chosen[0, 6:7]).any(axis=0)
        np.testing.assert_allclose(x.std(axis=0), varies, atol=1e-14)
        np.testing.assert_allclose(x.mean(axis=0), 0.0, atol=1e-14)
    mu = Table(X[:, [0, 3]], [0, 1, 0, 1, 1, 1, 0]).mean_difference("").z[0]
    assert mu[0] == 0 and mu[1] != 0


TABLE = """id,height,label
a1,1.5,rose
a2,2.5,daisy
a3,3.5,tulip
a4,4.5,rose
"""


def test_classes_are_chosen_and_columns_dropped(tmp_path) -> None:
    path = tmp_path / "flowers.csv"
    path.write_text(TABLE)
    table = read_csv(path, "label", classes=("tulip", "rose"), drop=["id"])
    assert table.features == ("height",) and table.X.ravel().tolist() == [1.5, 3.5, 4.5]
    assert table.y.tolist() == [-1, 1, -1]
    assert table.standardised()[0].features == ("height", "bias")
    path.write_text("x,y\n1,10\n2,9\n3,9.0\n4,8\n")
    assert read_csv(path, "y", classes=("9.0", "10")).y.tolist() == [-1, 1, 1]
    path.write_text("x,y\n1,10\n2,9\n3,9.0\n")
    assert read_csv(path, "y").y.tolist() == [1, -1, -1]
    path.write_text("x,y\n1,none\n2,mild\n")
    assert read_csv(path, "y", classes=("none", "mild")).y.tolist() == [1, -1]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (TABLE, {}, r"column 'label' needs exactly two classes, got 3 .daisy, rose, tulip.*--c"),
        (TABLE, {"classes": ["rose", "lily"]}, "rose,lily; it has daisy, rose, tulip"),
        (TABLE, {"classes": ["rose", "rose"]}, "needs two labels"),
        (TABLE, {"classes": ["rose"]}, "needs two labels"),
        (TABLE, {"classes": ["rose", "tulip"]},
         r"row 1 \(line 2\), column 'id' needs a number, got 'a1'; drop the column by --drop"),
        (TABLE, {"drop": ["ID"]}, "no column 'ID'; it has id, height, label"),
        (TABLE, {"drop": ["label"]}, "among those to drop"),
        (TABLE, {"drop": ["id", "height"], "classes": ["rose", "tulip"]}, "no feature"),
        ("x,label\n1,a\n\n2,\n", {}, r"row 2 \(line 4\), column 'label' needs a label, got ''"),
        ("x,label\n1,a\n,b\n", {}, r"row 2 \(line 3\), column 'x' needs a number, got ''; fill"),
        ("x,label\n1,a\n?,b\n", {}, r"column 'x' needs a number, got '\?'; fill it in"),
        ("x,label\n1,a\n1_0,b\n", {}, "needs a number, got '1_0'"),
        ("x,label\n1,a\ninf,b\n", {}, "needs a number, got 'inf'"),
        ("x,label\n1,1\n2,nan\n", {}, "needs a label, got 'nan'"),
        ("x;label\n1;a\n2;b\n", {}, "separated by ';'; save it with commas"),
        ("x\x1b[31m,label\n1,a\n2,b\n", {}, r"printed, got 'x\\x1b\[31m'"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be(tmp_path, text, options, message) -> None:
    """One line with the file, the row, the column, and what to do."""
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(path, "label", **options)
    assert "table.csv" in str(caught.value) or "classes" in str(caught.value)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


def test_names_of_features_reach_the_flow(tmp_path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('"Weight\n(kg)",y,\n1,a,2\n2,b,1\n')
    data, _ = read_csv(path, "y").standardised()
    assert data.features == ("Weight (kg)", "column 3", "bias")


def test_idx_names_with_a_dot(tmp_path) -> None:
    """Some tools unpack MNIST as train-images.idx3-ubyte."""
    idx_folder(tmp_path, False)
    for name in ("images-idx3", "labels-idx1"):
        (tmp_path / f"train-{name}-ubyte").rename(
            tmp_path / f"train-{name.replace('-idx', '.idx')}-ubyte"
        )
    assert read_idx(tmp_path, 3, 5).features[:2] == ("pixel 1,1", "pixel 1,2")
    head = b"\0\0\x08\x41" + b"\0\0\0\1" * 65
    (tmp_path / "train-images.idx3-ubyte").write_bytes(head + b"\1")
    with pytest.raises(ValueError, match="its header is another"):
        read_idx(tmp_path, 3, 5)
