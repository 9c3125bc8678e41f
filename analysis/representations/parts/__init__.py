"""The parts of an inspection; a new one is a file here that registers a function."""
