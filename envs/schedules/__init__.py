"""The schedules, one file each: a frozen dataclass under `@schedule`."""
