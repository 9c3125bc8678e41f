"""One file for each learning algorithm: a frozen dataclass of settings under `@algorithm`."""
