"""Trained agents as functions from observations to action probabilities."""
