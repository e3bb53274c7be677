"""Run the bench, print its table, keep its figures."""

import argparse

import uvloop

from bench.ledger.measure import FULL, QUICK, measure
from bench.report import report
from server.garbage import seldom_collected

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.ledger")
    parser.add_argument("--quick", action="store_true", help="short rounds, few entries")
    parser.add_argument("--entries", type=float, metavar="MILLIONS", help="of the full ledger")
    arguments = parser.parse_args()
    plan = QUICK if arguments.quick else FULL
    if arguments.entries is not None:
        plan = plan.with_entries(round(arguments.entries * 1e6))
    with seldom_collected():  # as in a server
        figures = uvloop.run(measure(plan))
    report("ledger", figures)
