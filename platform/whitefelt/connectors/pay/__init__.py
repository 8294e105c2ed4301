"""Connectors to payment providers: functions of `whitefelt.cashier.ports.PayVendor`."""
