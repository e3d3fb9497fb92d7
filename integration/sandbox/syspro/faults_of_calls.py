"""Faults that change what a posting stores, alike on both faces."""

from __future__ import annotations

from integration.sandbox.faults import FiredFault

# What a careless site is most likely to lose, when a fault does not name the element.
_IGNORED_BY_DEFAULT = {
    "SORTOI": "SpecialInstrs",
    "ARSTPY": "PaymentNarration",
    "ARSTIN": "Reference",
    "GENTJL": "Notation",
    "ARSSCS": "Email",
}


def ignored_elements(fault: FiredFault | None, business_object: str) -> tuple[str, ...]:
    """The elements dropped silently on a call that meets the fault ``element-ignored``."""
    if fault is None or fault.name != "element-ignored":
        return ()
    named = fault.parameters.get("element")
    return (str(named) if named else _IGNORED_BY_DEFAULT.get(business_object, ""),)
