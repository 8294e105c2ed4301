"""What the two consoles of staff (back office, supplier) share: frame, styles, wording of values, charts, assets.

No pages of its own, no rules, no tables. Imports: kernel. Templates of a console never come from a theme.
"""

from whitefelt.surfaces.console.assets import ASSET_RULE, asset_url, asset_view
from whitefelt.surfaces.console.charts import Bar, bars
from whitefelt.surfaces.console.rendering import Frame, Group, Link, environment, render, render_alone
from whitefelt.surfaces.console.wording import advice, amount, local_path, money, span, when

__all__ = [
    "ASSET_RULE", "Bar", "Frame", "Group", "Link", "advice", "amount", "asset_url", "asset_view", "bars", "environment",
    "local_path", "money", "render", "render_alone", "span", "when",
]  # fmt: skip
