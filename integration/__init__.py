"""The systems we connect, and the vocabulary they share."""
