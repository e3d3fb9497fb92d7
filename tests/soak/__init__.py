"""Real processes, real load, and what is done to them: kills, pauses, a database that goes away, clocks that jump."""
