"""The commands, one file each: a docstring, `Options`, and `run(options) -> int`."""
