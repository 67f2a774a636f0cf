"""Defects of the DynamoDB in moto 5.2.1, mended from outside. AWS's DynamoDB has none of them."""

import copy
from collections import defaultdict
from threading import RLock

from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler


def isolate_requests():
    """Requests run in threads without a lock: a transaction checks and writes item after item while others write, so
    two can pass on the same version, and one that is cancelled rolls back what others have written. One at a time."""
    lock = RLock()
    call_action = DynamoHandler.call_action

    def alone(handler):
        with lock:
            return call_action(handler)

    DynamoHandler.call_action = alone


def copy_cheaply():
    """A transaction of N items copies the whole table and its whole stream N times, each item in depth: minutes at a
    thousand items. The copies here share the items. That is enough as long as nobody sends an Update within a
    transaction, which changes items in place; Muster never does."""

    def __deepcopy__(table, memo):
        twin = copy.copy(table)
        memo[id(table)] = twin
        rows = ((key, row if isinstance(row, Item) else dict(row)) for key, row in table.items.items())
        twin.items = defaultdict(dict, rows)
        if table.stream_shard is not None:
            twin.stream_shard = copy.copy(table.stream_shard)
            twin.stream_shard.table = twin
            twin.stream_shard.items = list(table.stream_shard.items)
        return twin

    Table.__deepcopy__ = __deepcopy__


def sort_fast():
    """Each query sorts all items of the table, through comparisons in Python: the same order from plain values."""

    def order(item):
        return (item.hash_key.cast_value, item.range_key.cast_value if item.range_key else "")

    def all_items(table):
        rows = table.items.values()
        return sorted((item for row in rows for item in (row.values() if table.range_key_attr else [row])), key=order)

    Table.all_items = all_items


def mend():
    isolate_requests()
    copy_cheaply()
    sort_fast()
