"""Bytes <-> values: the messages, their two encodings, and the limits. No sockets, no disk.

``messages`` names every field once; ``shellframe`` writes them as plain octet frames for shells,
``codec`` as one msgpack frame for the command and for editors. ``shell/PROTOCOL.md`` is the prose.
"""
