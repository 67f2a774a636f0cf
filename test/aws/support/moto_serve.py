"""Motos for test processes: one process loads moto once, and forks for each that is asked for.

`moto_serve.py SOCKET` listens at that path, and says so with a line on its standard output; at the end of its standard
input it exits. Whoever connects to the path gets a moto of its own, which prints `{"port": N, "pid": N}` to the connection
as its first line: it serves on that loopback port. Then it reads from the connection: each line `{"call_out": N}` names the
port to which the tasks of state machines call (our edge, which runs the Lambda functions), and is answered with the same
line. At the end of the connection it exits, so it never outlives whom it was made for, however that one ends.
"""

import copy
import gc
import json
import logging
import os
import select
import signal
import socket
import sys
import threading

import moto_dynamodb
import moto_http
import moto_quick
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.models import StateMachine
from werkzeug.serving import make_server

# Those that tests call: each loads its code when it is first asked for.
SERVICES = ("dynamodb", "dynamodbstreams", "ec2", "iam", "moto_api", "s3", "sqs", "ssm", "stepfunctions")


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


def obey(said, say):
    for line in said:
        message = json.loads(line)
        # Read by moto at each call of a task.
        os.environ["MOTO_PORT"] = str(message["call_out"])
        say(message)
    os._exit(0)


def serve(connection, app):
    def say(message):
        connection.sendall(f"{json.dumps(message)}\n".encode())

    # It was copied, too: every moto is to make ids of its own.
    mock_random.seed()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=moto_http.Kept)
    os.environ["MOTO_PORT"] = str(server.port)
    threading.Thread(target=obey, args=(connection.makefile("r"), say), daemon=True).start()
    say({"port": server.port, "pid": os.getpid()})
    server.serve_forever()


def load():
    app = DomainDispatcherApplication(create_backend_app)
    app.app_instances.update((service, create_backend_app(service)) for service in SERVICES)
    # What is loaded stays: nobody looks through it again for what might go.
    gc.collect()
    gc.freeze()
    return app


def main(path):
    # One line for each request would fill the pipe.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        app = load()
        print("listening", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return serve(connection, app)
            connection.close()


main(sys.argv[1])
