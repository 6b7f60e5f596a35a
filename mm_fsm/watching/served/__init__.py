"""A run in a browser on this machine: a process of its own reads the run's directory and drives the operator's files.

======================  ===============================================================================
run_state               what a run's directory says now: running, silent, gone, ended, or nothing to read
access                  the token that pause, resume and stop need
routes                  which address answers what
live.html.jinja         the page; live.css and live.js belong to it
======================  ===============================================================================
"""
