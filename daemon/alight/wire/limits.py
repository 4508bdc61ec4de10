"""The protocol number and the bounds every peer keeps.

PROTOCOL is raised only for a change that an old peer cannot read; fields appended at the end of a
fixed list are such a change for shells, new verbs are not.
"""

PROTOCOL = 1
MAX_FRAMES = 96
MAX_FRAME = 16 * 1024
MAX_MESSAGE = 64 * 1024
DEADLINE_SECONDS = 0.05
HEARTBEAT_SECONDS = 10.0
HEARTBEAT_FRESH_SECONDS = 25.0
FOLLOW_SECONDS = 10.0
"""How long a request for events is kept open before it is answered without any."""
