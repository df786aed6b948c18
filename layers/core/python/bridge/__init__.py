"""The bridge between ConnectWise PSA and the payments platform.

Imports point inwards: ``domain`` stands alone, ``ports`` names what the use cases need; ``mirror``,
``connections`` and ``payments`` are the use cases, ``connectwise``, ``store`` and ``aws`` reach
outside, and ``wiring`` joins them.
"""
