"""Moto as a child of a test process.

Serves moto on a free loopback port and prints `{"port": N}` as its first line. Then reads its standard input:
each line `{"call_out": N}` names the port to which the tasks of state machines call (our edge, which runs the Lambda
functions), and is answered with the same line. At the end of the input it exits, so it never outlives its parent,
however the parent dies.
"""

import copy
import json
import logging
import os
import sys
import threading

import moto_dynamodb
import moto_quick
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.models import StateMachine
from werkzeug.serving import make_server


def copy_without_executions(machine, memo):
    """Defect of moto 5.2.1 (getmoto/moto#10077): StartExecution deep-copies the machine with the live threads of its
    earlier executions, which fails. An execution needs none of the others: the copy goes without them."""
    twin = copy.copy(machine)
    twin.executions = []
    memo[id(machine)] = twin
    return twin


StateMachine.__deepcopy__ = copy_without_executions
moto_dynamodb.mend()
moto_quick.mend()


def say(message):
    print(json.dumps(message), flush=True)


def obey(lines):
    for line in lines:
        message = json.loads(line)
        # Read by moto at each call of a task.
        os.environ["MOTO_PORT"] = str(message["call_out"])
        say(message)
    os._exit(0)


def main():
    # One line for each request would fill the pipe.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    os.environ.setdefault("MOTO_PORT", str(server.port))
    threading.Thread(target=obey, args=(sys.stdin,), daemon=True).start()
    say({"port": server.port})
    server.serve_forever()


main()
