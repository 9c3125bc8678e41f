"""Worlds: epochs, an epoch index, a shutdown action and a reward that decays past a cutoff."""
