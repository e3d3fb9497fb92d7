"""What runs by itself: workers, schedules, lanes."""
