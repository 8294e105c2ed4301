"""The back office: what an operator's staff sees and decides. One host per operator; pages only, no rules.

Every view names the permission it needs; what a role may not do is not shown, and refused when tried. Owns no tables.
Imports: the faces of all modules below, surfaces.console.
"""

from whitefelt.surfaces.backoffice.site import create

__all__ = ["create"]
