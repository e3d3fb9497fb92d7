"""The road of a payment: one file per step, named by its verb."""
