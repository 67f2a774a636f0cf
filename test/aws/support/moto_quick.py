"""What moto 5.2.1 works out anew for every request, remembered. Its answers stay what they are: all that is kept here
depends on moto's own code and on AWS's models, which do not change while it runs, or is looked up instead of searched."""

import functools

from moto import backends
from moto.core import responses, serialize
from moto.ec2 import utils
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.responses import EC2Response
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix
from moto.moto_server.werkzeug_app import DomainDispatcherApplication


def know_services():
    """Each request lists moto's folder, twice, with a look at each of its 200 entries."""
    names = frozenset(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: names


def know_hosts():
    """Each request is compared with the patterns of all services until one fits."""
    find = DomainDispatcherApplication.get_backend_for_host
    known = {}

    def get_backend_for_host(app, host):
        if host not in known:
            known[host] = find(app, host)
        return known[host]

    DomainDispatcherApplication.get_backend_for_host = get_backend_for_host


def know_methods():
    """Each request asks Python for all members of the class that answers it."""
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)


def know_patterns():
    utils.simple_aws_filter_to_re = functools.cache(utils.simple_aws_filter_to_re)


def find_tags():
    """The tags of one thing are looked for among those of all things, by pattern: each list of machines takes the square
    of how many there ever were."""

    def get_tags(thing):
        if not thing.id:
            return []
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(thing.id), "")
        tags = thing.ec2_backend.tags.get(thing.id, {})
        return [{"resource_id": thing.id, "key": key, "value": tags[key], "resource_type": kind} for key in list(tags)]

    TaggedEC2Resource.get_tags = get_tags


def pick_fast():
    """Under which names a field may stand in an object of moto's is made up for each field of each answer."""
    pick = serialize.AttributePicker.__call__
    known = {}

    def names_of(picker, context):
        """They depend on the field, and on the class of what it is looked for in."""
        of = (type(picker), context.shape, context.key, type(context.obj))
        if of not in known:
            known[of] = tuple(dict.fromkeys(picker.get_possible_keys(context)))
        return known[of]

    def __call__(picker, context):
        if picker.alias_providers is not serialize.DEFAULT_ALIAS_PROVIDERS:
            return pick(picker, context)
        value = next(values(context.obj, names_of(picker, context)), None)
        path = f"{context.key_path}.{context.key}"
        for end, transform in picker.response_transformers.items():
            if path.endswith(end):
                return transform(value)
        return value

    def values(thing, names):
        for name in names:
            value = serialize.get_value(thing, name, serialize.MISSING)
            if value is not serialize.MISSING:
                yield value

    serialize.AttributePicker.__call__ = __call__


# Moto answers these from files of its own.
RECORDED = frozenset(("DescribeInstanceTypes", "DescribeInstanceTypeOfferings", "DescribeSpotPriceHistory"))


def remember_recordings():
    """What moto recorded of AWS's machine types is the same each time, and so long that it takes seconds to write it out."""
    call_action = EC2Response.call_action
    known = {}

    def call_action_once(handler):
        if handler._get_action() not in RECORDED:
            return call_action(handler)
        asked = (handler.region, repr(sorted(handler.querystring.items())))
        if asked not in known:
            known[asked] = call_action(handler)
        status, headers, body = known[asked]
        return status, dict(headers), body

    EC2Response.call_action = call_action_once


def mend():
    know_services()
    know_hosts()
    know_methods()
    know_patterns()
    find_tags()
    pick_fast()
    remember_recordings()
