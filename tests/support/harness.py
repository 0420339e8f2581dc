"""Real servers and real clients for Belfry's tests.

    with Kafka() as kafka, Redis() as redis:
        daemon = Belfryd(kafka, redis, shards=4).start()
        daemon.wait_ready()
        client = CommandClient(kafka.bootstrap)
        client.call({"op": "add", "command_id": "c1", "job": {...}})
        fires = read_all(kafka.bootstrap, "belfry.fires", until=3, deadline_s=10)
        daemon.terminate()

Every process started here dies with the test: at the end of a `with`, at exit, on SIGTERM and
SIGINT, and (through the kernel's parent-death signal) when the test itself is killed. Nothing
sleeps "long enough": everything waits for a condition with a deadline.

Environment: BELFRY_BUILD (default build/) holds the programs under test, BELFRY_KAFKA_LIBS
(default build/kafka/libs) the broker's jars, BELFRY_KEEP=1 keeps the temporary directories.
"""

from processes import (  # noqa: F401 -- this module is the harness's one face
    PATIENCE, WATCHED, DeadlineExceeded, Process, accepts_connections, close_processes, free_port,
    install_signal_handlers, live_processes, new_directory, save_logs, wait_for, work_directory)
from programs import BUILD, Belfryd, belfry, parse_log_line, run  # noqa: F401
from servers import JVM_DEFAULTS, ROOT, Kafka, Redis  # noqa: F401
from topics import (  # noqa: F401
    CommandClient, Record, Sent, TopicReader, client_options, create_topic, end_offsets, murmur2,
    produce, read_all, shard_of)
