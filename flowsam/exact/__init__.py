"""Solved cases, one file each: pure functions of arrays, in rescaled time, for one example."""
