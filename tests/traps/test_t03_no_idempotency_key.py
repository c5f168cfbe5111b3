"""T3: a notification sent twice, as payment platforms do, pays twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.points import Brand, refused, sql, wrong


def test_thirty_deliveries_of_the_same_notice_at_once_credit_once(brand: Brand) -> None:
    meeting = Barrier(30)

    def deliver(_: int) -> tuple[int, bytes, str | None]:
        meeting.wait()
        answer = brand.send("postings", kind="earn", amount=88, key="order-4711")
        return answer.status_code, answer.data, answer.headers.get("Idempotency-Replayed")

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(deliver, range(30)))
    assert Counter(status for status, _, _ in answers) == {201: 30}
    assert len({body for _, body, _ in answers}) == 1
    assert Counter(replayed for _, _, replayed in answers) == {None: 1, "true": 29}
    assert brand.figures()[0] == 88
    assert sql("SELECT count(*) FROM points_entries")[0][0] == 1
    assert wrong() == []


def test_the_same_key_for_another_amount_is_refused_and_not_paid(brand: Brand) -> None:
    brand.earn(88, key="order-4711")
    assert refused(brand.send("postings", kind="earn", amount=89, key="order-4711")) == (422, "idempotency_key_reused")
    assert brand.figures()[0] == 88


def test_single_and_batch_deliveries_at_once_credit_once(brand: Brand) -> None:
    line = {"member_id": 7, "asset": "points", "kind": "earn", "amount": 88, "key": "order-4711"}
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(brand.send, "postings", kind="earn", amount=88, key="order-4711") for _ in range(4)]
        sent += [pool.submit(brand.shop.post, "/v1/postings/batch", {"lines": [line, line]}) for _ in range(4)]
        assert {answer.result().status_code for answer in sent} <= {200, 201}
    assert brand.figures()[0] == 88
