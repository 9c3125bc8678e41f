"""Published results beside ours, one file for each source: functions under `@reproduction`."""
