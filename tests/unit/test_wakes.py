"""Who is woken: every consumer, by what it takes and by nothing else."""

import pytest

from common.service import Service
from services.levels.service import service as levels
from services.points.service import service as points
from services.redemption.service import service as redemption
from services.referrals.service import service as referrals

SERVICES = (points, levels, referrals, redemption)
#: The audit log and the figures follow their own service's feed, without a subscription.
OWN = {"points": {"points": frozenset({"ledger.entry"})}}


@pytest.mark.parametrize("producer", SERVICES, ids=lambda it: it.name)
def test_a_producer_wakes_its_consumers_by_the_topics_they_take(producer: Service) -> None:
    taken = {
        consumer.name: frozenset(subscription.topics)
        for consumer in SERVICES
        for subscription in consumer.consumes
        if subscription.source == producer.name
    }
    assert producer.wakes == taken | OWN.get(producer.name, {})
