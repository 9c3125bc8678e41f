"""Conditions x seeds x probes: what is compared, and how it is run."""
