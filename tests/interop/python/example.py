"""Adds a job, reads the result and the fire: Python with confluent-kafka.

    python example.py localhost:9092 belfry billing invoice
"""
import json
import sys
import time
import uuid

from confluent_kafka import Consumer, Producer

bootstrap, cluster, group, job_id = sys.argv[1:5]
command_id = str(uuid.uuid4())


def read(topic, wanted, seconds=30):
    """The first record that is wanted, from the beginning of the topic."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": str(uuid.uuid4()),  # a service of yours keeps one name
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",  # the default here; in others it is not
    })
    consumer.subscribe([topic])
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            record = consumer.poll(1.0)
            if record is None or record.error():
                continue
            try:
                message = json.loads(record.value() or b"")
            except ValueError:  # the payload of a fire in binary mode, or none
                continue
            if isinstance(message, dict) and wanted(message):
                return message
    finally:
        consumer.close()
    raise SystemExit(f"nothing on {topic} within {seconds} s")


# With murmur2_random a group goes to its shard, as with Java's clients. This client's default
# partitioner is another one: the command is then forwarded, and acts when it arrives there.
options = {"bootstrap.servers": bootstrap, "enable.idempotence": True}
if "--default-partitioner" not in sys.argv:
    options["partitioner"] = "murmur2_random"

command = {"op": "add", "command_id": command_id, "job": {
    "group": group, "id": job_id,
    "schedule": {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())},
    "payload": {"from": "python"}}}
producer = Producer(options)
producer.produce(f"{cluster}.control", key=group, value=json.dumps(command))
producer.flush()

result = read(f"{cluster}.results", lambda message: message.get("command_id") == command_id)
print(json.dumps(result))
fire = read(f"{cluster}.fires", lambda message: message.get("subject") == f"{group}/{job_id}")
print(json.dumps(fire))
