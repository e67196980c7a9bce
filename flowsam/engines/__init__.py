"""What every engine shares: steps between located events, the path they leave, both clocks."""

METHODS = ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")  # of scipy.integrate
