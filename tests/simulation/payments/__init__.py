"""The payment write-back in the simulated world: beside the sync, on the same clock and books.

``provenance`` knows whose each payment in ConnectWise is, past all that the bridge believes.
"""
