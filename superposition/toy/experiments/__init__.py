"""Experiments on toy models, one file each: functions of a training under `@experiment`."""
