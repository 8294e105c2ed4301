"""Benchmarks: ratios in one run, against the raw database on the same machine; never run as tests."""
