"""Folders that are written to: nothing in them may lead outside."""

import os
from pathlib import Path


def check_links(folder: Path, besides: str | None = None) -> None:
    """Raise ValueError where something in `folder` is a link out of it, or one that leads nowhere.

    Whoever follows such a link writes, or deletes, where nobody asked for it. The folder itself
    may be a link: its user named it. What lies in its sub-folder `besides` is not looked at.
    """
    root = os.path.realpath(folder)
    for where, folders, files in os.walk(root):
        if besides is not None and where == os.path.join(root, besides):
            folders.clear()
            continue
        for name in (*folders, *files):
            path = os.path.join(where, name)
            if not os.path.islink(path):
                continue
            target = os.path.realpath(path)
            shown = folder / os.path.relpath(path, root)
            if os.path.commonpath([root, target]) != root:
                raise ValueError(f"{shown} is a link out of {folder}, expected no such links in it")
            if not os.path.exists(path):
                raise ValueError(f"{shown} is a link that leads nowhere, expected none in {folder}")


def check_default(folder: Path) -> Path:
    """`folder`, which nobody named. Raises ValueError where it is a link: it may lead anywhere."""
    if folder.is_symlink():
        raise ValueError(f"{folder} is a link out of {folder.parent}, expected a folder, or --out")
    return folder
