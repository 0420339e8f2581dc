"""The question to a group's coordinator while that is not ready: on a broker that has just been
started, and one that is killed and comes back."""

from __future__ import annotations

from harness import BUILD, Kafka, Process, wait_for

ASKER = BUILD / "tests" / "contract" / "test_broker_runs"
FIRST, AGAIN = 3, 3


def _answers(asker: Process) -> list[str]:
    return asker.output().splitlines()


def test_a_coordinator_that_is_not_ready() -> None:
    """Who asks lives on, and is answered in the end; librdkafka's admin interface would end it
    (dispatcher/kafka/kafka_question.h)."""
    with Kafka() as kafka, Process("asker", [ASKER, "--ask-for-s=280"],
                                   {"BELFRY_TEST_KAFKA": kafka.bootstrap}) as asker:

        def answered(since: int, count: int) -> bool:
            assert asker.running, f"the asker has ended: {asker.exit_code}\n{asker.tail()}"
            return _answers(asker)[since:].count("answered") >= count

        wait_for(lambda: answered(0, FIRST), 60, "a new broker answers")
        kafka.kill9()
        killed = len(_answers(asker))
        wait_for(lambda: set(_answers(asker)[killed:]) - {"answered"}, 60,
                 "it is asked while it is away")
        kafka.start()
        back = len(_answers(asker))
        wait_for(lambda: answered(back, AGAIN), 60, "it answers when it is back")
