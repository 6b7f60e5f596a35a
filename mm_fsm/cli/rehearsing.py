"""``rehearse``: an exchange on this machine that answers as Binance's spot market does, until Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from mm_fsm.cli.asked_for import port_asked_for
from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.log_format import log_to_standard_error
from mm_fsm.core.instrument import Fees, Instrument
from mm_fsm.errors import FileError, OptionError
from mm_fsm.runtime.presets import matching_preset
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.testing.rehearsal.endpoint import VARIABLE
from mm_fsm.testing.rehearsal.fault_file import read_faults
from mm_fsm.testing.rehearsal.log_file import LogFile
from mm_fsm.testing.rehearsal.ready_markets import instrument_of, recorded_market, simulated_market, start_price_of
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from mm_fsm.testing.rehearsal.terms import BNB, RehearsalMarket, RehearsalTerms
from mm_fsm.venues.recorded import open_recording

DEFAULT_SYMBOLS: Final = ("BTC/USDT", "ETH/USDT")
_QUOTE_BALANCE: Final = Decimal(100_000)
_BASE_VALUE: Final = Decimal(20_000)
"""Quote currency that the default balance of each base currency is worth."""
_FACTORY: Final = "mm_fsm.testing.rehearsal.client:binance_from_environment"


@frozen(kw_only=True)
class RehearseOptions:
    """What the command is told."""

    symbols: tuple[str, ...]
    seed: int
    speed: float
    port: int
    recording: tuple[Path, ...]
    balances: tuple[str, ...]
    """Each ``CURRENCY=AMOUNT``."""
    maker_bps: Decimal
    taker_bps: Decimal
    bnb_fees: bool
    faults: Path | None
    out: Path
    as_json: bool


def run_rehearsal(options: RehearseOptions) -> int:
    """Open the exchange, and print what it saw once it is told to end; the exit status.

    Raises:
        MarketMakerError: an option, a script or a recording is refused.
    """
    log_to_standard_error()
    terms = _terms(options)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        with (options.out / "log.jsonl").open("w", encoding="utf-8") as log, port_asked_for("--port"):
            exchange = RehearsalExchange(terms, on_entry=LogFile(log).write)
            asyncio.run(_serve(exchange, options))
    except OSError as error:
        found = error.strerror or str(error)
        raise FileError(str(options.out), "a directory that can be written to", found, "Name another.") from None
    except ExceptionGroup as broken:
        print_message("\n".join(f"mm-fsm: {error}" for error in broken.exceptions), style="red")
        return ExitCode.FAILURE
    _print_summary(_summary(exchange), as_json=options.as_json)
    return ExitCode.SUCCESS


async def _serve(exchange: RehearsalExchange, options: RehearseOptions) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with exchange:
        file = options.out / "endpoint.json"
        exchange.endpoint.save(file)
        print_message(_announcement(exchange, file.resolve(), options))
        waiting = [asyncio.create_task(each) for each in (_wait(ended), exchange.until_broken())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        file.unlink(missing_ok=True)  # it leads nowhere any more


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _announcement(exchange: RehearsalExchange, file: Path, options: RehearseOptions) -> str:
    symbols = ", ".join(market.instrument.symbol for market in exchange.terms.markets)
    return "\n".join(
        (
            f"A rehearsal exchange is open on 127.0.0.1:{exchange.endpoint.port}: {symbols}; seed {options.seed}.",
            f"Faults to come: {len(exchange.terms.faults)}. Its log: {options.out / 'log.jsonl'}. Ctrl-C ends it.",
            "",
            "Let clients find it:",
            f"    export {VARIABLE}={file}",
            "A ccxt.pro object that trades there, unmodified:",
            f"    from {_FACTORY.replace(':', ' import ')}",
            "In the settings of a live venue:",
            '    [venue]\n    kind = "ccxt"\n    exchange = "binance"',
            f'    factory = "{_FACTORY}"',
        )
    )


def _terms(options: RehearseOptions) -> RehearsalTerms:
    markets = [_recorded(options)] if options.recording else _simulated(options)
    return RehearsalTerms(
        markets=tuple(markets),
        balances=_balances(options.balances, [market.instrument for market in markets]),
        fees=Fees(maker_bps=options.maker_bps, taker_bps=options.taker_bps),
        pays_fees_in_bnb=options.bnb_fees,
        faults=() if options.faults is None else read_faults(options.faults),
        speed=options.speed,
        port=options.port,
    )


def _simulated(options: RehearseOptions) -> list[RehearsalMarket]:
    symbols = list(dict.fromkeys(options.symbols or DEFAULT_SYMBOLS))
    if options.bnb_fees:
        quotes = dict.fromkeys(instrument_of(symbol).quote_currency for symbol in symbols)
        symbols += [pair for quote in quotes if quote != BNB and (pair := f"{BNB}/{quote}") not in symbols]
    return [simulated_market(symbol, seed=options.seed + number) for number, symbol in enumerate(symbols)]


def _recorded(options: RehearseOptions) -> RehearsalMarket:
    """The market of the recording: by the symbol that is given, else by the shipped preset that fits it."""
    if len(options.symbols) > 1:
        raise OptionError("--recording", "at most one symbol", ", ".join(options.symbols), "Name the recording's.")
    info = open_recording(options.recording).describe()
    preset = matching_preset(info.exchange, info.symbol)
    found = None if preset is None else read_preset(preset).instrument
    instrument = instrument_of(options.symbols[0]) if options.symbols else found
    if instrument is None:
        raise OptionError("--recording", "a symbol beside it", info.symbol, "Name it as BASE/QUOTE.")
    return recorded_market(instrument, open_recording(options.recording, symbol=instrument.symbol))


def _balances(written: Sequence[str], instruments: Sequence[Instrument]) -> dict[str, Decimal]:
    balances = {instrument.quote_currency: _QUOTE_BALANCE for instrument in instruments}
    for instrument in instruments:
        worth = _BASE_VALUE / start_price_of(instrument.symbol)
        balances.setdefault(instrument.base_currency, instrument.floor_quantity(worth))
    for text in written:
        currency, _, amount = text.partition("=")
        try:
            balances[currency.strip().upper()] = Decimal(amount)
        except InvalidOperation:
            raise OptionError("--balance", "CURRENCY=AMOUNT", text, "Write it as USDT=1000.") from None
    return balances


def _summary(exchange: RehearsalExchange) -> dict[str, Any]:
    log = exchange.log
    return {
        "fills": len(log.fills()),
        "open_orders": [order.client_order_id for order in log.open_orders()],
        "client_ids_accepted_twice": sorted(log.duplicates()),
        "orders_off_the_grid": len(log.off_grid(market.instrument for market in exchange.terms.markets)),
        "post_only_orders_that_took": len(log.post_only_takes()),
        "requests_while_suspended": len(log.asked_while_refused()),
        "faults": [strike.fault.kind.value for strike in log.faults()],
        "balances": {currency: str(total) for currency, total in log.balances().items()},
    }


def _print_summary(summary: dict[str, Any], *, as_json: bool) -> None:
    console = result_console()
    if as_json:
        console.out(json.dumps(summary, indent=2), highlight=False)
        return
    for name, value in summary.items():
        shown = ", ".join(f"{key} {total}" for key, total in value.items()) if isinstance(value, dict) else value
        text = ", ".join(shown) or "none" if isinstance(shown, list) else str(shown)
        console.print(f"{name.replace('_', ' ')}: {text}", markup=False, soft_wrap=True)
