"""Why a side was not quoted, and which setting would have had to differ by how little."""
