"""How it was learned."""
