"""`make backfill STAGE=dev`: gives stored records their search keys, once after the release.

To be run by an operator with the credentials of the environment, when the deploy is done. It may
be interrupted and begun anew: records with keys are passed over. Until it is through, searches read
more, and say where they left off; from then on they read search keys.
"""

import argparse

import boto3

from bridge.aws.clock import SystemClock
from bridge.store.search_backfill import SearchBackfill
from bridge.store.table import Table
from infra.config import STAGES, stage_config
from infra.constructs.table import table_name


def fill(backfill: SearchBackfill) -> int:
    """Take all steps; returns how many records were rewritten."""
    rewritten, cursor = 0, None
    while True:
        step = backfill.step(cursor)
        rewritten, cursor = rewritten + step.rewritten, step.cursor
        if cursor is None:
            return rewritten


def main() -> None:
    """Fill the stage named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", required=True, choices=sorted(STAGES))
    arguments = parser.parse_args()
    name = table_name(stage_config(arguments.stage), "Records")
    table = Table(boto3.client("dynamodb"), name, SystemClock())
    print(f"rewritten: {fill(SearchBackfill(table))} records; the search is complete")


if __name__ == "__main__":
    main()
