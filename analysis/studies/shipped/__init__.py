"""The studies that ship, one file each: `myopia study <file name>`."""
