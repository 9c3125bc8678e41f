"""How fast the worlds step, against peers in the same run: the same as `myopia bench envs`."""

import sys

from myopia.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["bench", "envs", *sys.argv[1:]]))
