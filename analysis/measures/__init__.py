"""The measures, one file each; every module here registers what it computes."""
