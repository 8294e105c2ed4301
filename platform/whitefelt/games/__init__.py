"""Games: what can be played, and where is it? Library and launch. Owns: platform.titles.
Imports: tenancy, accounts, compliance, wagering."""

from whitefelt.games.launch import Launched, launch
from whitefelt.games.library import Title, library, origins, sync, title

__all__ = ["Launched", "Title", "launch", "library", "origins", "sync", "title"]
