"""Runs machines: one symbol or many, against simulated venues, with settings read from files."""
