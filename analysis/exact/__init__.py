"""Exact answers from a world's tables: oracles, occupancy, discounts, incentives."""
