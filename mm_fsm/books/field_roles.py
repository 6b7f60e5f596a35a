"""Marks on fields of the books, for what walks over them: snapshots, restarts, digests."""

from __future__ import annotations

from typing import Final

DERIVED: Final = {"is_derived": True}
"""Metadata of a field that is computed from others: it is in no snapshot and in no digest."""

SURVIVES: Final = {"survives": True}
"""Metadata of a field that a restart keeps; the others begin anew."""
