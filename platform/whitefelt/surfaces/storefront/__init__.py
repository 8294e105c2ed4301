"""The storefront: what a brand's players see. Pages only: every rule and every write is a domain's, every look a theme's.

Works without script; forms post, the answer is a redirect (303). Owns no tables. Imports: the faces of all modules below.
"""

from whitefelt.surfaces.storefront.site import create

__all__ = ["create"]
