"""Stand-ins for the outside systems, written from the vendors' reference documents, with faults to order.

Nothing here shares code with the connectors it answers: a mistake made twice would otherwise look like
agreement. Only the command line, training and tests may start a sandbox.
"""
