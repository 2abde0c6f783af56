"""Every command, and how a run of one ends.

Anticipated errors are one line and exit code 1; a command that was asked to stop exits as it says.
"""

import typer

from quantdesk.cli.audit import app as audit
from quantdesk.cli.cache import app as cache
from quantdesk.cli.demo import demo
from quantdesk.cli.doctor import doctor
from quantdesk.cli.drill import app as drill
from quantdesk.cli.halting import halt, resume
from quantdesk.cli.history import backfill, forget, gaps
from quantdesk.cli.keys import app as keys
from quantdesk.cli.limits import app as limits
from quantdesk.cli.localnet import localnet
from quantdesk.cli.master import app as master
from quantdesk.cli.order import app as order
from quantdesk.cli.orders import app as orders
from quantdesk.cli.plot import plot
from quantdesk.cli.prices import prices
from quantdesk.cli.quality import quality
from quantdesk.cli.quote import app as quote
from quantdesk.cli.raw import raw
from quantdesk.cli.record import record
from quantdesk.cli.replay import replay
from quantdesk.cli.run import run
from quantdesk.cli.running import Stopped
from quantdesk.cli.security import app as security
from quantdesk.cli.sessions import app as sessions
from quantdesk.cli.sign_in import sign_in
from quantdesk.cli.sources import sources
from quantdesk.cli.terminal import refuse
from quantdesk.cli.unlock import unlock
from quantdesk.cli.up import up
from quantdesk.cli.users import app as users
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.telemetry import log

INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
app.command("up")(up)
app.command("run")(run)
app.command("demo")(demo)
app.add_typer(quote, name="quote")
app.add_typer(order, name="order")
app.add_typer(orders, name="orders")
app.add_typer(limits, name="limits")
app.command("halt")(halt)
app.command("resume")(resume)
app.command("prices")(prices)
app.command("sources")(sources)
app.command("record")(record)
app.command("replay")(replay)
app.command("plot")(plot)
app.command("raw")(raw)
app.command("backfill")(backfill)
app.command("gaps")(gaps)
app.command("forget")(forget)
app.add_typer(cache, name="cache")
app.command("quality")(quality)
app.command("doctor")(doctor)
app.command("localnet")(localnet)
app.command("unlock")(unlock)
app.add_typer(master, name="master")
app.add_typer(audit, name="audit")
app.add_typer(security, name="security")
app.command("sign-in")(sign_in)
app.add_typer(drill, name="drill")
app.add_typer(users, name="users")
app.add_typer(keys, name="keys")
app.add_typer(sessions, name="sessions")


@app.callback()
def quantdesk() -> None:
    """QuantDesk: a self-hosted trading desk for on-chain markets."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    log.configure()
    try:
        app()
    except DeskError as problem:
        refuse(problem)
    except OSError as problem:
        about = problem.filename or "the machine"
        refuse(Unavailable(f"{about}: {problem.strerror or problem}", code="machine.refused"))
    except (Stopped, KeyboardInterrupt):
        raise SystemExit(INTERRUPTED) from None
    raise SystemExit(1)
