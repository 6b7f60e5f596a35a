"""What others learn of a run while it trades: a page, figures for Prometheus, and alerts to people.

| module | what it does |
|---|---|
| ``served`` | the page that ``mm-fsm serve`` shows |
| ``metric_families``, ``chart_metrics``, ``market_metrics`` | every metric, and where its value is read |
| ``guard_counts`` | how often guards were asked, and what they answered |
| ``run_metrics``, ``exposition`` | figures as Prometheus reads them: written by a run, answered to a scraper |
| ``metrics_table`` | the table of metrics for the documents |
| ``news``, ``conditions`` | what is wrong in a market or an account, and what of it is new |
| ``alert_limiter``, ``alert_texts`` | news become messages: gathered, limited, in words |
| ``alert_targets``, ``alert_courier`` | where messages go, and who brings them |
| ``run_alerts``, ``bulletins`` | everything about alerts put together: of a run, and of a program beside it |
"""
