"""The sections of the report, one file each: functions from results to HTML."""
