"""The user's decisions about what may enter PATH: default is no.

``records`` keeps them on disk, ``evidence`` takes the fingerprint a decision is bound to, ``tracked`` and ``shadows``
are the two standing checks, ``judge`` joins decisions and resolutions in exactly one function, ``maker`` recognises
environments that the user has just made.
"""
