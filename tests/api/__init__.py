"""The HTTP face, over HTTP."""
