"""Minor first, major last, exactly: who leads when under l_2-SAM at L = 2, one example."""

from flowsam.amplification.critical import critical_scale, critical_scale_bounds
from flowsam.amplification.leader_maps import dominance
from flowsam.amplification.norm_course import collapse_exponents, fastest, pattern
from flowsam.amplification.succession import Leaders, leaders
from flowsam.amplification.thresholds import Regimes, regimes, uniform_leaders

__all__ = [
    "Leaders",
    "Regimes",
    "collapse_exponents",
    "critical_scale",
    "critical_scale_bounds",
    "dominance",
    "fastest",
    "leaders",
    "pattern",
    "regimes",
    "uniform_leaders",
]
