"""Transition coverage: which states, edges, guard outcomes and sequences of a chart a test suite has exercised.

The pytest plugin is ``plugin``; it loads nothing else until an option asks for it. From below:

=============  =======================================================================================
criteria       the criteria
model          the neutral model of a chart, flat or nested; ``reading`` makes it from a class
obligations    what each criterion asks of a model; ``exclusions`` what of that cannot be asked for
tally          counters of one chart, and the sequence that one machine takes; ``tree`` has the round trips
machines       watches our own machines; ``engines`` watches python-statemachine's
recorder       joins them for one process; ``subprocesses`` for the processes that a test starts
mutation       faults in a chart, and whether tests notice them
run            what was recorded, as plain data that can be stored, sent and merged
result         run and obligations put together: what is covered, what is missing
gate           thresholds and the baseline
text_report    the terminal's report; ``json_report``, ``html_report``, ``heat_map``: ``written_reports`` joins these
session        one run of pytest; ``options`` is what it was asked for, ``problems`` what can be wrong with that
=============  =======================================================================================
"""
