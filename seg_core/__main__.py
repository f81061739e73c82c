"""``python -m seg_core``."""

import sys

from seg_core.commands import main

if __name__ == "__main__":
    sys.exit(main())
