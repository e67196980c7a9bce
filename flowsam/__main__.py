"""`python -m flowsam` is the command flowsam."""

import sys

from flowsam.cli import main

if __name__ == "__main__":
    sys.exit(main())
