"""A turn is the right to make one call to a tenant, from its time on and for a short while.

Workers take several turns together, so that one write serves many calls.
"""

from __future__ import annotations

from datetime import timedelta

TURN_LIFE = timedelta(seconds=2)
"""A turn is void so long after its time: a worker that was frozen takes new ones."""
MOST_TURNS = 15
"""So many turns are taken together at most: a tenant may be called as often in a second."""
