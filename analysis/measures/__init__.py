"""The measures, one file each: functions of a context under `@measure`."""
