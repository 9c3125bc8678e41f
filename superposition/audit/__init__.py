"""The audit: what the metrics do when the weights change and the function does not."""

from myopia.superposition.audit.canonical import canonical
from myopia.superposition.audit.network import (
    Layer,
    Network,
    function_change,
    network_of_modules,
    read,
    standardised,
)
from myopia.superposition.audit.search import Attack, worst_scaling
from myopia.superposition.audit.table import AuditRow, audit, audit_network
from myopia.superposition.audit.transformations import (
    TRANSFORMATIONS,
    Transformation,
    scale_first_weights,
    scale_units,
)

__all__ = [
    "TRANSFORMATIONS",
    "Attack",
    "AuditRow",
    "Layer",
    "Network",
    "Transformation",
    "audit",
    "audit_network",
    "canonical",
    "function_change",
    "network_of_modules",
    "read",
    "scale_first_weights",
    "scale_units",
    "standardised",
    "worst_scaling",
]
