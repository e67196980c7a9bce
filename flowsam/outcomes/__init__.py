"""Where a flow ends as t -> inf: theorems first, certificates on a run where none decides."""

from flowsam.outcomes.answers import Limit, limit, limits

__all__ = ["Limit", "limit", "limits"]
