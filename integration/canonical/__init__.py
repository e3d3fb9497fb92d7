"""The vocabulary all connectors share: money, parties, payments, orders, settlements, journals."""
