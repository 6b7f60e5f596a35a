"""``report.html``: everything that a run's figures hold, on one page that needs nothing else.

==============  =======================================================================================
whole_page      the page from the figures; one section a market
answers         what a desk asks first, answered in a sentence each
profit_rows     profit and its split, the plain quoter beside it
quality_rows    presence, holds, orders, position
chart_rows      states, budgets, and the chart as heat map
drawn_rows      rows of a table with a drawing in each
number_texts    numbers as people read them, with units
shown_figures   marks each number with its place in ``report.json`` and its exact value
page_data       what the script draws and lists
packed_columns  columns of many numbers, in few bytes
==============  =======================================================================================

``run.html.jinja`` and ``market.html.jinja`` are the page's templates, ``run.css`` and ``run.js`` what only it needs.
"""

from mm_fsm.report.run_page.whole_page import report_page

__all__ = ["report_page"]
