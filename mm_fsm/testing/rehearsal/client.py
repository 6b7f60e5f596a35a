"""Unmodified ``ccxt.pro`` clients of a rehearsal exchange: production addresses, answered on loopback."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from mm_fsm.testing.rehearsal.endpoint import Endpoint

Factory = Callable[..., Any]
"""Makes an exchange object of ``ccxt.pro``; takes its configuration as a mapping, or nothing."""

_LOOPBACK: Final = "127.0.0.1"


class LoopbackResolver(AbstractResolver):
    """Answers every host name with one port on loopback: no client can reach anything else through it."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Say where a host is."""
        return [
            ResolveResult(
                hostname=host,
                host=_LOOPBACK,
                port=self._port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


def exchange_factory(endpoint: Endpoint) -> Factory:
    """A factory of ``ccxt.pro.binance`` objects that trade at a rehearsal exchange.

    Nothing of ccxt is changed: addresses, signatures and the mapping of errors are those of production. Only the
    connections' resolver answers 127.0.0.1, and only the test authority is trusted. Each object owns its connections;
    its ``close`` ends them. Call the factory where the event loop runs.

    Args:
        endpoint: of the exchange.
    """

    def make(configuration: Mapping[str, Any] | None = None) -> Any:
        from ccxt.pro import binance  # noqa: PLC0415 - half a second, for who trades only

        own = {"apiKey": endpoint.api_key, "secret": endpoint.secret, "options": {"fetchMarkets": {"types": ["spot"]}}}
        exchange = binance(binance.deep_extend(own, dict(configuration or {})))
        context = ssl.create_default_context(cadata=endpoint.authority)
        connector = aiohttp.TCPConnector(resolver=LoopbackResolver(endpoint.port), ssl=context)
        exchange.ssl_context = context  # whatever else it may open, it trusts nobody but the test authority
        exchange.session = aiohttp.ClientSession(connector=connector)
        return exchange

    return make


def binance_from_environment(configuration: Mapping[str, Any] | None = None) -> Any:
    """A ``ccxt.pro.binance`` object for the exchange whose file the variable MM_FSM_REHEARSAL names.

    Raises:
        SettingsError: the variable is not set, or its file cannot be read.
    """
    return exchange_factory(Endpoint.from_environment())(configuration)
