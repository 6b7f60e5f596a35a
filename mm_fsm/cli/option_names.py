"""What options of the command line can be, by name: loading what they name would slow down every command's help."""

from __future__ import annotations

from enum import StrEnum


class DiagramFormatName(StrEnum):
    """The formats of diagrams, by name: loading what draws them would slow down every command's help."""

    DOT = "dot"
    SVG = "svg"
    PNG = "png"
    PDF = "pdf"
    MERMAID = "mermaid"
    MARKDOWN = "markdown"


class RecordingFormat(StrEnum):
    """The formats of recordings, by name."""

    TARDIS = "tardis"
    BINANCE_PUBLIC = "binance-public"
    BINANCE_STREAM = "binance-stream"
    HFTBACKTEST = "hftbacktest"
    PARQUET = "parquet"


class OrderName(StrEnum):
    """The clocks that can order a recording, by name."""

    RECEIVED = "received"
    EXCHANGE = "exchange"


class ExecutorName(StrEnum):
    """What can run a machine's chart, by name: loading charts would slow down every command's help."""

    TABLE = "table"
    ENGINE = "engine"


class SideName(StrEnum):
    """Sides of a book."""

    BID = "bid"
    ASK = "ask"
