"""A whole site in one process under a seed: our handlers and a real database, with time, network and luck of ours."""
