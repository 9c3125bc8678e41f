"""The index modes, one file each: a frozen dataclass under `@index_mode`."""
