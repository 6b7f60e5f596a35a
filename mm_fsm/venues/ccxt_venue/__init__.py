"""Live trading through ccxt: one account of one exchange, its markets' real orders, streams and answers.

| module | what it does |
|---|---|
| ``kind``, ``table``, ``keys`` | what settings say, and where keys come from |
| ``library`` | the only file that imports ccxt |
| ``market_rules`` | rules, fees and account as the exchange says them |
| ``amounts``, ``payloads`` | ccxt's unified structures to exact values; what is not known stays None |
| ``client_ids`` | own order ids within each exchange's rules, and back |
| ``outcomes`` | one table: what an error of the vendor's says about a request |
| ``own_orders``, ``own_trades`` | each piece of news told once, although answers and streams both bring it |
| ``requests``, ``looks`` | carries out placements and cancels; answers questions |
| ``streams``, ``watch`` | supervised streams, and what notices that they have died |
| ``venue`` | the port: everything put together |
"""
