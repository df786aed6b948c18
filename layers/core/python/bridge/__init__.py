"""The bridge between ConnectWise PSA and the payments platform.

Imports point inwards: ``domain`` knows nothing, ``ports`` names what the use cases need,
``sync`` and ``payments`` are the use cases, ``connectwise``, ``store`` and ``aws`` reach outside,
and ``runtime`` wires them.
"""
