"""CNN Playground without a browser: the same functions and the same store as the pages."""

from __future__ import annotations

import sys


def main() -> int:
    """Nothing is imported before this, so that Ctrl-C is answered from the start."""
    try:
        from cnn_core.command_line.program import program

        return program()
    except KeyboardInterrupt:
        print("Stopped. Nothing half done was kept.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
