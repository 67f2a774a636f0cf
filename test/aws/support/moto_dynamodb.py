"""Defects of the DynamoDB in moto 5.2.1, mended from outside. AWS's DynamoDB has none of them."""

import copy
from collections import defaultdict
from threading import RLock

from moto.dynamodb.models import DynamoDBBackend
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
    """A transaction of N items copies the whole table and its whole stream N times, before it writes anything, each item in
    depth: minutes at a thousand items. Here it copies them once, and the copy shares the items. That is enough as long as
    nobody sends an Update within a transaction, which changes items in place; Muster never does."""
    copies = []
    transact = DynamoDBBackend.transact_write_items

    def transact_write_items(backend, items):
        copies.append({})
        try:
            return transact(backend, items)
        finally:
            copies.pop()

    def __deepcopy__(table, memo):
        known = copies[-1] if copies else {}
        if id(table) not in known:
            known[id(table)] = copied(table, memo)
        return known[id(table)]

    def copied(table, memo):
        twin = copy.copy(table)
        memo[id(table)] = twin
        rows = ((key, row if isinstance(row, Item) else dict(row)) for key, row in table.items.items())
        twin.items = defaultdict(dict, rows)
        if table.stream_shard is not None:
            twin.stream_shard = copy.copy(table.stream_shard)
            twin.stream_shard.table = twin
            twin.stream_shard.items = list(table.stream_shard.items)
        return twin

    DynamoDBBackend.transact_write_items = transact_write_items
    Table.__deepcopy__ = __deepcopy__


def sort_fast():
    """Each query sorts all items of the table, through comparisons in Python: the same order from plain values."""

    def order(item):
        return (item.hash_key.cast_value, item.range_key.cast_value if item.range_key else "")

    def all_items(table):
        rows = table.items.values()
        return sorted((item for row in rows for item in (row.values() if table.range_key_attr else [row])), key=order)

    Table.all_items = all_items


def look_in_partition():
    """Each query sorts all items of the table and looks through them, though it asks for one partition, of the table or of
    an index."""
    query = Table.query

    def rows_of_index(table, keys):
        def has_keys(item):
            return all(name in item.attrs and item.attrs[name].value == wanted.value for name, wanted in keys)

        rows = ((key, {sort: item for sort, item in row.items() if has_keys(item)}) for key, row in table.items.items())
        return {key: row for key, row in rows if row}

    def query_partition(table, hash_key, *rest, hash_key_conditions=None, **named):
        part = copy.copy(table)
        index_name = rest[6]
        if index_name is None:
            part.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
        elif table.range_key_attr and hash_key_conditions:
            part.items = rows_of_index(table, hash_key_conditions)
        return query(part, hash_key, *rest, hash_key_conditions=hash_key_conditions, **named)

    Table.query = query_partition


def mend():
    isolate_requests()
    copy_cheaply()
    sort_fast()
    look_in_partition()
