"""The market maker as a subject of generated tests: how it is made, what it is told, what must hold of its books."""
