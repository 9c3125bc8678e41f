"""Figures: functions from a table of evaluations to a matplotlib figure, one file each."""
