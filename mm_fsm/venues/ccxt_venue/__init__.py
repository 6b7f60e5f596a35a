"""Live trading through ccxt: one account of one exchange, its markets' real orders, streams and answers.

| module | what it does |
|---|---|
| ``kind``, ``wanted``, ``keys`` | what settings say, and where keys come from |
| ``library`` | the only file that imports ccxt |
| ``market_rules`` | rules, fees and account as the exchange says them |
| ``patience`` | tries again to open an account where what is wrong may pass |
| ``amounts``, ``payloads`` | ccxt's unified structures to exact values; what is not known stays None |
| ``by_exchange`` | tables of what is known of exchanges, which those that ccxt derives from them share |
| ``client_ids`` | own order ids within each exchange's rules, and back |
| ``outcomes`` | one table: what an error of the vendor's says about a request |
| ``own_orders``, ``own_trades`` | each piece of news told once, although answers and streams both bring it |
| ``requests``, ``looks`` | carries out placements and cancels; answers questions |
| ``open_order_lists`` | open orders, of one market or of all at once, whichever costs less |
| ``own_trade_lists`` | every own trade of a stretch of time, in as many questions as that takes |
| ``pages`` | how long a list is that may lack something |
| ``usage`` | the exchange's own counters of requests, as its headers tell them |
| ``deadlines`` | has exchanges refuse placements that come late |
| ``streamed`` | what ccxt's parsers of streamed messages say otherwise, put right from the messages |
| ``streams``, ``stream_keeper``, ``watch`` | supervised streams, built anew, and what notices that they have died |
| ``market_data``, ``paper_on_streams`` | public streams alone, and the paper exchange on them |
| ``inspection`` | looks at an account before a run |
| ``account``, ``live_market`` | what the parts share of one account, and of one market |
| ``venue`` | the port: everything put together |
"""
