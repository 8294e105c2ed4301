"""Connectors: one vendor, one file. Found by presence (kernel.registry); they import the kernel and one domain's ports."""
