"""Play connectors: one vendor, one file; found by presence."""
