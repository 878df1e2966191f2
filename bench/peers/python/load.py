"""Loads the topics as an engineer writes it in an afternoon: COPY of a batch
and its offsets in one database transaction, from a queue that is never empty.

	load.py TABLE BATCH

Ends when each partition has been read to its end.
"""
import os
import sys

import psycopg
from confluent_kafka import Consumer, KafkaError, TopicPartition

COPY = "COPY {} (source, target, amount) FROM STDIN (DELIMITER ' ')"
SAVE = """
INSERT INTO offsets VALUES (%s, %s, %s)
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset
"""


def stored_offsets(database):
    database.execute(
        "CREATE TABLE IF NOT EXISTS offsets (topic text, partition integer,"
        " next_offset bigint, PRIMARY KEY (topic, partition))"
    )
    rows = database.execute("SELECT * FROM offsets").fetchall()
    database.commit()
    return {(topic, partition): offset for topic, partition, offset in rows}


def partitions(consumer, topics, offsets):
    found = consumer.list_topics(timeout=10).topics
    return [
        TopicPartition(topic, partition, offsets.get((topic, partition), 0))
        for topic in topics
        for partition in found[topic].partitions
    ]


def split(messages):
    """Returns the messages that hold a value, and how many ends were met."""
    ends = 0
    for message in messages:
        error = message.error()
        if error is None:
            continue
        if error.code() != KafkaError._PARTITION_EOF:
            sys.exit(f"load.py: {error}")
        ends += 1
    return [m for m in messages if m.error() is None] if ends else messages, ends


def store(database, table, messages):
    with database.cursor() as cursor:
        with cursor.copy(COPY.format(table)) as copy:
            copy.write(b"\n".join([m.value() for m in messages]) + b"\n")
        offsets = {(m.topic(), m.partition()): m.offset() + 1 for m in messages}
        cursor.executemany(SAVE, [(*place, offset) for place, offset in offsets.items()])
    database.commit()


def main(table, batch):
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["FINTRANS_BROKERS"],
            "group.id": os.environ["GROUP"],
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "queued.min.messages": 1000000,
            "fetch.wait.max.ms": 20,
        }
    )
    with psycopg.connect() as database:
        assigned = partitions(consumer, os.environ["TOPICS"].split(), stored_offsets(database))
        consumer.assign(assigned)
        left = len(assigned)
        while left > 0:
            messages, ends = split(consumer.consume(batch, timeout=0.2))
            if messages:
                store(database, table, messages)
            left -= ends
    consumer.close()


main(sys.argv[1], int(sys.argv[2]))
