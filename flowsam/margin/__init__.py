"""Max-margin directions of a data set, with the numbers that prove them."""

from flowsam.margin.farkas import Separability, separability
from flowsam.margin.maximum import MarginCertificate, margin_certificate, max_margin

__all__ = [
    "MarginCertificate",
    "Separability",
    "margin_certificate",
    "max_margin",
    "separability",
]
