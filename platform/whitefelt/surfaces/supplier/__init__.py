"""The supplier's console: which operators there are, where they live, and whether they are well. Never their players.

Pages only. Owns no tables. Imports: the faces of tenancy, accounts and reporting, surfaces.console.
"""

from whitefelt.surfaces.supplier.site import create

__all__ = ["create"]
