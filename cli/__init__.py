"""The `myopia` command."""
