"""Pages that need nothing else: one file, offline, light and dark, from 390 pixels of width on.

======================  ===============================================================================
self_contained          one page from a template, with its styles, scripts and data inside
pictures                SVG that stands in a page beside others
base.html.jinja         what every page has; a page's own template extends it
page.css, page.js       looks of every page; tables that sort, pictures that grow, times and colours
timeline.js             charts over time on one axis, by pointer and keyboard; drawn by uPlot
vendor/uplot            uPlot, with its licence and where it comes from
======================  ===============================================================================
"""

from mm_fsm.report.pages.pictures import embedded_picture
from mm_fsm.report.pages.self_contained import self_contained_page

__all__ = ["embedded_picture", "self_contained_page"]
