"""Figures: functions from evaluations to a matplotlib figure, one file each."""
