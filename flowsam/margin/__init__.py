"""Max-margin directions of a data set, with the numbers that prove them."""

from flowsam.margin.maximum import (
    MarginCertificate,
    Separability,
    margin_certificate,
    max_margin,
    separability,
)

__all__ = [
    "MarginCertificate",
    "Separability",
    "margin_certificate",
    "max_margin",
    "separability",
]
