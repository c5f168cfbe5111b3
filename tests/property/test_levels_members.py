"""Identities given together lead to one member, whatever else is in the batch and how it is cut."""

from hypothesis import given
from hypothesis import strategies as st

from services.levels.members import domain
from services.levels.members.domain import IdentityKey, Person

KEYS = st.builds(
    IdentityKey, st.sampled_from(["customer_id", "wechat_unionid"]), st.just(""), st.sampled_from("abcdefgh")
)
PERSONS = st.lists(st.lists(KEYS, min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=10)


def resolve(persons: list[Person], known: dict[IdentityKey, int], first: int) -> tuple[list[int], int]:
    """Carry a plan out over `known`; returns whom each person is, and how many were made."""
    plan = domain.plan(persons, known)
    ids = [reference if reference > 0 else first - reference for reference in plan.references]
    known |= {key: reference if reference > 0 else first - reference for key, reference in plan.links.items()}
    return ids, plan.new


@given(PERSONS)
def test_strangers_who_share_an_identity_are_one_member_and_others_are_not(persons: list[Person]) -> None:
    known: dict[IdentityKey, int] = {}
    ids, made = resolve(persons, known, 100)
    assert domain.plan(persons, {}).conflicts == []
    groups: list[set[IdentityKey]] = []
    for person in persons:
        touching = [group for group in groups if group & set(person)]
        groups = [group for group in groups if group not in touching] + [set(person).union(*touching)]
    assert len(set(ids)) == made == len(groups)
    for group in groups:
        assert len({known[key] for key in group}) == 1


@given(PERSONS)
def test_the_same_batch_again_changes_nothing(persons: list[Person]) -> None:
    known: dict[IdentityKey, int] = {}
    ids, _ = resolve(persons, known, 100)
    before = dict(known)
    again, made = resolve(persons, known, 200)
    assert (again, made, known) == (ids, 0, before)
    assert domain.incomplete(persons, known) == []


@given(PERSONS, PERSONS)
def test_an_identity_never_changes_its_member_and_every_conflict_is_named(
    first: list[Person], then: list[Person]
) -> None:
    known: dict[IdentityKey, int] = {}
    resolve(first, known, 100)
    before = dict(known)
    plan = domain.plan(then, known)
    ids, _ = resolve(then, known, 200)
    assert before.items() <= known.items()
    strays = {
        (key, member, known[key])
        for person, member in zip(then, ids, strict=True)
        for key in person
        if known[key] != member
    }
    assert {(one.key, one.member_id, one.holder_id) for one in plan.conflicts} == strays
    for person, member in zip(then, ids, strict=True):
        assert domain.look_up(person, before) in (None, member)
