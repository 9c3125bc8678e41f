"""The worlds that ship, one file each; every module here is found and registered by itself."""
