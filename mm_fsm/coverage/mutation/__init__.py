"""Mutation score of a model: how many small faults in a chart a test suite notices.

=============  =======================================================================================
mutants        the faults, as values: what each changes in a chart, and which tests have run that part
making         lets a class have a fault, until a block ends
children       runs checks in forked processes, several at a time, each with a limit
suite          a pytest session whose tests are run again in such processes
session        runs the mutants once the suite has passed
repeatability  hypothesis tries the same examples in every process
=============  =======================================================================================
"""
