"""A sweep, and its store read again by xarray."""

import tempfile

import numpy as np
import xarray as xr

from flowsam import sweep

case = {"mu": [1, 2], "alpha": [1.5, 0.6], "norm": "inf", "measure": ["label"]}
with tempfile.TemporaryDirectory() as folder:
    found = sweep(case, {"rho": np.linspace(0.2, 2, 10)}, store=f"{folder}/rho.zarr")
    again = xr.open_zarr(f"{folder}/rho.zarr", consolidated=False).load()
    assert np.array_equal(found["label"], again["label"])  # lazy: while the store is there
assert again["label"].sel(rho=1.0, method="nearest") == 1
