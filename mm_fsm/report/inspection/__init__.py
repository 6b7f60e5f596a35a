"""What happened in a run, step by step, from its journal: the data of ``mm-fsm inspect``.

===============  ====================================================================
``plain_text``   values in plain text, for people
``watching``     guards asked, edges taken and services' answers during one step
``steps``        a journal as steps: replayed, or as recorded where it has no market data
``windows``      some steps together, packed: what a page loads at once
``overview``     the whole run in a bounded number of columns
``track``        one journal under one version of its machine, ready for a page
``comparison``   where two tracks first differ
``page``         the page of a run: one file, or one that loads its steps
``served``       what the inspector's server answers
===============  ====================================================================
"""
