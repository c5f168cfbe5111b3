"""T20: elsewhere registering is enough, members invite themselves, and quotas are passed concurrently.

Here a reward follows a paid order only, nobody is bound to themselves or twice, and the quota is counted under a lock.
"""

from tests.referrals import Referrals, at_once


def test_joining_and_binding_alone_earn_nothing(referrals: Referrals) -> None:
    referrals.campaign()
    code = referrals.code(1)
    for member_id in range(2, 12):
        referrals.fact("levels", "member.joined", {"joined_at": referrals.now.isoformat()}, member_id=member_id)
        referrals.bind(member_id, code)
    referrals.pull("levels")
    assert referrals.granted() == {}
    assert referrals.bind(1, code).json["code"] == "self_invite"


def test_the_quota_is_not_passed_by_many_reviews_at_once(referrals: Referrals) -> None:
    referrals.campaign(hourly_limit=1, monthly_cap=3)
    code = referrals.code(1)
    for member_id in range(101, 110):
        referrals.bind(member_id, code)
        referrals.paid(member_id, f"o{member_id}", 100)
    answers = at_once(*[lambda m=m: referrals.review(f"{m}-1") for m in range(102, 110)])
    assert sorted(answer.status_code for answer in answers) == [200, 200] + [409] * 6
    assert referrals.tally(1)["qualified"] == 3
