"""`python -m whitefelt` is the command `whitefelt`."""

from whitefelt.cli import main

main()
