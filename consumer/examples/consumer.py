"""A consumer of Belfry's fires in Python: one line per fire, until SIGTERM or Ctrl-C.
pip install confluent-kafka;  python consumer.py localhost:9092 my-group [topic]"""
import base64
import json
import signal
import sys
from collections import OrderedDict

from confluent_kafka import Consumer

WINDOW = 100_000  # fire ids remembered against what the group delivers again


def decode(message):
    """The fire as (attributes, data bytes), from structured or binary CloudEvents."""
    headers = {name: (value or b"").decode() for name, value in message.headers() or []}
    fire = {name[3:]: value for name, value in headers.items() if name.startswith("ce_")}
    data = message.value() or b""
    if headers.get("content-type", "").startswith("application/cloudevents+json"):
        fire = json.loads(data)
        data = json.dumps(fire["data"], separators=(",", ":")).encode() if "data" in fire else b""
        data = base64.b64decode(fire["data_base64"]) if "data_base64" in fire else data
    missing = {"id", "subject", "dueat", "firekind", "type"} - fire.keys()
    if missing or fire["type"] != "belfry.fire.v1":
        raise ValueError(f"type {fire.get('type')}, missing {sorted(missing)}")
    return fire, data


def handle(fire, data):
    """The work goes here. It may come again after a crash: make it idempotent by the id."""
    text = data.decode(errors="replace")
    print(fire["id"], fire["subject"], fire["dueat"], fire["firekind"], text, flush=True)


def main(brokers, group_id, topic="belfry.fires"):
    consumer = Consumer({
        "bootstrap.servers": brokers, "group.id": group_id, "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",  # no fires of aborted transactions
        "enable.auto.offset.store": False})   # an offset counts only after the work is done
    running, seen = [True], OrderedDict()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.clear())
    consumer.subscribe([topic])
    while running:
        message = consumer.poll(0.5)
        if message is None or message.error():
            continue
        try:
            fire, data = decode(message)
        except Exception as error:  # whatever was wrong with it, it is no fire
            print("no fire:", message.partition(), message.offset(), repr(error), file=sys.stderr)
            fire = None
        if fire is not None and fire["id"] not in seen:
            handle(fire, data)
            seen[fire["id"]] = True
            if len(seen) > WINDOW:
                seen.popitem(last=False)
        consumer.store_offsets(message)
    consumer.close()  # commits what is stored, leaves the group


main(*sys.argv[1:])
