"""`python -m service.cli`, for processes that start others."""

from service.cli import main

main()
