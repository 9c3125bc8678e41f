"""What a learner is told at an epoch boundary: one file for each credit mode.

A new one is a file here with a frozen dataclass under `@credit_mode`.
"""
