"""The simulation: seeds that must break nothing, and proof that it would notice."""
