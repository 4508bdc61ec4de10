"""From an answer and what a shell says about itself to a plan: typed data that the hook applies.

``dialect`` reads what the environment's own script would set, ``changes`` turns that into variables,
``ownership`` decides who may touch the active environment, ``plan`` puts it together, ``prompt`` names it.
"""
