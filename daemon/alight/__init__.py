"""alight knows which Python environment belongs to a directory and settles the shell there.

One way in, one way out::

    ask    hook at the prompt -> wire -> server -> resolver -> trust -> activation plan -> reply
    learn  watchdog -> watch -> index -> stamp + push -> hooks refresh

Layers, lowest first; a module imports only from its own row or rows above::

    values    errors  model  clock  paths  settings  log  text  quoting  digest
    wire      wire                     bytes <-> values; no sockets, no disk
    reading   files                    bounded reads, fingerprints, ownership checks
    facts     systems  interpreters    what is on disk, per tool
    answers   projects  health  resolver
    memory    store  index  trust      trust joins answers in exactly one function
    commands  commandline              line -> simple commands; no disk
    plans     activation  landing
    sensing   watch
    ends      server | client | query  neither end imports the other
    process   lifecycle  app
    edge      cli                      the only code that prints
"""

__version__ = "0.1.0"
