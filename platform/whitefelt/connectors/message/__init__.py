"""Connectors that carry messages: functions of `whitefelt.crm.ports.MessageVendor`."""
