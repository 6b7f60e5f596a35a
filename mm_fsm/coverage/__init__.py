"""Transition coverage: which states, edges, guard outcomes and sequences of a chart a test suite has exercised.

The pytest plugin is ``plugin``; it loads nothing else until an option asks for it. From below:

=============  =======================================================================================
criteria       the criteria
model          the neutral model of a chart, flat or nested; ``reading`` makes it from a class
obligations    what each criterion asks of a model, and what is excluded from that
tally, walk    counters of one chart; the sequence one machine takes
machines       watches our own machines; ``engines`` watches python-statemachine's
recorder       joins them for one process; ``subprocesses`` for the processes that a test starts
mutation       faults in a chart, and whether tests notice them
run            what was recorded, as plain data that can be stored, sent and merged
result         run and obligations put together: what is covered, what is missing
gate           thresholds and the baseline
reports        terminal, JSON, HTML and SVG
=============  =======================================================================================
"""
