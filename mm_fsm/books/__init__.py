"""What one machine knows: market, own orders, ledger, figures, and the facts that change them."""
