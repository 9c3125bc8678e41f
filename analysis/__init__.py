"""Oracles, exact evaluation, measures and reports."""
