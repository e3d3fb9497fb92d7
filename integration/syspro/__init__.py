"""SYSPRO: one port, `ERP`, and two transports side by side behind it, neither going through the other.

What both need lives here: settings, keys, field limits, currency codes and the classification of SYSPRO's
errors. `harmony` speaks JSON to a façade that a site puts in front of SYSPRO.
"""
