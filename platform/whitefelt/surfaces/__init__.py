"""What people see: pages only. No rules here, and no writes but through the faces of the modules below."""
