"""Pictures that stand in pages: smaller, with every text as it was."""

from __future__ import annotations

from mm_fsm.report.pages import embedded_picture

SVG = """<?xml version="1.0"?><!-- made by -->
<svg width="10pt" xmlns="http://www.w3.org/2000/svg"><g id="node1"><path d="M1.25,-20.125C3,4.05 5.99,6"/>
<text xml:space="preserve" text-anchor="start" x="6.49" y="-7.25"
 font-family="Helvetica,Arial,sans-serif">+12.34 USD</text>
<text x="1"> \u00a0</text></g></svg>"""


def test_positions_keep_a_tenth_and_texts_every_digit() -> None:
    drawn = embedded_picture(SVG, "map-1")
    assert 'd="M1.2,-20.1C3,4.0 5.9,6"' in drawn
    assert '<text x="6.4" y="-7.2"' in drawn
    assert ">+12.34 USD</text>" in drawn


def test_it_begins_with_the_picture_and_has_names_of_its_own() -> None:
    drawn = embedded_picture(SVG, "map-1")
    assert drawn.startswith("<svg ")
    assert 'id="map-1-node1"' in drawn
    assert "<!--" not in drawn


def test_no_picture_stays_none() -> None:
    assert embedded_picture("", "map-1") == ""
