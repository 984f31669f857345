"""The command line, as python -m ptfast."""

from ptfast.cli import main

if __name__ == "__main__":
    main()
