"""Drivers: how a test gets an instance of any chart, takes one chosen edge, and sees where it is."""
