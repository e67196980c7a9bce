"""What a run is asked for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Request"]


@dataclass(frozen=True)
class Request:
    """An end in one of the two clocks, and how steps get there."""

    end: float
    clock: str = "log_t_end"  # or "tau_end"
    method: str = "auto"
    rtol: float = 1e-9
    atol: float = 1e-12

    @property
    def in_tau(self) -> bool:
        """Whether the end is one of rescaled time."""
        return self.clock == "tau_end"
