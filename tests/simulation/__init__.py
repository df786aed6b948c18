"""The whole sync in one process: real use cases, real adapter, sandboxed ConnectWise, one seed.

There are no sockets, threads or real waits. A seeded scheduler decides what happens next: which
message is delivered, what a person edits, what fails and where a worker dies. What can act, what
can go wrong and what must hold are three separate lists (``actors``, ``faults``, ``invariants``).
"""
