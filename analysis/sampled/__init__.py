"""Estimates from lifetimes that were lived, for what has no tables."""
