"""Connectors to identity vendors: functions of `whitefelt.compliance.ports.IdentityVendor`."""
