"""Representations: the metrics of toy models of superposition, for toy models and for agents."""
