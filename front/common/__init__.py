"""What every other package may use: the standard library and numpy only, and nothing of ours."""
