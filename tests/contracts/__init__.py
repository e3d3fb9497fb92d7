"""Promises about the repository itself: samples, packaging, style."""
