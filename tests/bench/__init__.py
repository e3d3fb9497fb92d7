"""How fast the road is: `make bench`. Figures beside a script that does the same calls and remembers nothing."""
