"""The rules of the house as small functions: each takes source text and gives the faults in it, so that each can be shown
to find what it forbids. `tests/test_house.py` runs them over the tree; the reasons are in docs/architecture.md."""
