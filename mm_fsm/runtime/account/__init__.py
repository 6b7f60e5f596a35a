"""The account layer: what several markets of one account share is asked, counted and limited in one place."""
