"""A rehearsal exchange: Binance spot on loopback, for one account, with faults on order and a log that judges.

From below:

============================  =========================================================================================
fault_menu, judge             what can go wrong; what was done, and questions to that
fault_script                  which fault strikes which occasion
terms, ready_markets          what an exchange is made of; markets to make it of
wallet, cashier               the account's money
venue_market, venue_orders    one market's book; orders and trades
filters, engine               whether an order is taken, and when it trades: no network below here
parameters, request_meter     who asks what, and whether he asks too much
public_endpoints              what is answered to everybody
account_endpoints             what is answered to the account's owner; ``order_endpoints`` about orders
order_payloads, refusals      answers in Binance's words and codes
routes                        which request has which answer
rest, connection, streams     how it is told, as the faults have it
market_feed, authority        the market's pace; TLS
server                        everything put together
endpoint, client              how unmodified ccxt finds it
fault_file, log_file          scripts and logs on disk
============================  =========================================================================================
"""
