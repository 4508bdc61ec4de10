"""From an answer and what a shell says about itself to a plan: typed data that the hook applies.

``ownership`` decides who may touch the active environment, ``operations`` writes down what follows, ``plan`` puts it
together with what is shown, ``notices`` and ``witnesses``. What an environment's own activation would do is read by
``changes`` and ``dialect`` (venvs), ``conda`` with ``stack``, ``variables`` and ``scripts``, and ``interpreter``;
``repair`` takes away what was inherited.
"""
