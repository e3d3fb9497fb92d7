"""Stories told end to end against the sandboxes."""
