"""The road, against whole servers."""
