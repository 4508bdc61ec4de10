"""The daemon's end of the wire: one ROUTER, one loop, one thread that owns every socket."""
