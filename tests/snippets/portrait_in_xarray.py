"""A phase portrait as a labelled array of xarray."""

import numpy as np
import xarray as xr

from flowsam import Flow, linf, phase_portrait, single_example

axis = np.linspace(0.03, 2, 40)
plane = phase_portrait(Flow(single_example([1, 2]), linf(1)), axis, axis)
labels = xr.DataArray(plane.labels, {"alpha_2": plane.y, "alpha_1": plane.x})
assert labels.sel(alpha_1=1.5, alpha_2=0.5, method="nearest") == 1
assert set(np.unique(labels)) == {0, 1, 2}
