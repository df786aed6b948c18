"""Companies in the simulated world: several partners, connections and ConnectWise installations.

One installation is reached by several names and keys. ``provenance`` knows who made each payment
there, past all that the bridge believes.
"""
