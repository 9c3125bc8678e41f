"""`python -m myopia.agents.train` is `myopia train`."""

import importlib
import sys

if __name__ == "__main__":
    # the command line lies above this folder, and is found by its name when it is the front door
    sys.exit(importlib.import_module("myopia.cli.main").main(["train", *sys.argv[1:]]))
