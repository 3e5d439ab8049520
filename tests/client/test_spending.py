"""What is summed up is what the receipts say, to the millionth, and nothing is left out unsaid."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from assetwright.enums import ChargeState, JobKind, JobState, PriceSource
from assetwright.records import Job, Money, Receipt
from assetwright.spending import Grouping, Spent, day_of, summarize

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def receipt(charge: ChargeState, amount: Money | None = None) -> Receipt:
    source = PriceSource.NONE if amount is None else PriceSource.PUBLISHED_PAGE
    return Receipt(charge=charge, amount=amount, source=source, note="", gateway_request_id=None)


def job(
    paid: Receipt | None = None,
    *,
    model: str = "pixal3d",
    at: datetime = NOON,
    kind: JobKind = JobKind.GENERATE,
    sandbox: bool = False,
) -> Job:
    return Job(
        job_id="job-1",
        request_id="r",
        kind=kind,
        state=JobState.GENERATING if paid is None else JobState.COMPLETED,
        model=model,
        labels={},
        create_time=at,
        update_time=at,
        end_time=None if paid is None else at,
        last_sequence=1,
        assets=(),
        error=None,
        receipt=paid,
        report=None,
        sandbox=sandbox,
    )


def usd(micros: int) -> Receipt:
    return receipt(ChargeState.CHARGED, Money("USD", micros))


def test_no_jobs_cost_nothing() -> None:
    assert summarize([]) == summarize([job(kind=JobKind.PROCESS, paid=usd(1))])
    assert summarize([]).total == Spent()
    assert str(Spent().amount) == "$0.00"


def test_each_way_to_end_is_counted_apart() -> None:
    """A sum that hid what nobody knows would look like the truth."""
    jobs = [
        job(usd(420_000)),
        job(usd(300)),
        job(receipt(ChargeState.CHARGED)),
        job(receipt(ChargeState.CHARGED, Money("EUR", 5))),
        job(receipt(ChargeState.NOT_CHARGED)),
        job(receipt(ChargeState.UNKNOWN)),
        job(),
    ]
    (line,) = summarize(jobs).bought
    assert line.spent == Spent(
        charged=4, unpriced=2, not_charged=1, charge_unknown=1, running=1, micros=420_300
    )
    assert line.spent.generations == len(jobs)
    assert line.spent.amount.amount == Decimal("0.4203")


def test_the_sandbox_is_listed_apart() -> None:
    found = summarize([job(receipt(ChargeState.NOT_CHARGED), sandbox=True), job(usd(1))])
    assert [line.spent for line in found.sandbox] == [Spent(not_charged=1)]
    assert found.total == Spent(charged=1, micros=1)


def test_lines_are_by_model_by_day_or_by_both_and_newest_first() -> None:
    day = timedelta(days=1)
    jobs = [job(usd(1), model=model, at=at) for model in "ba" for at in (NOON, NOON + day)]
    first, second = NOON.date(), (NOON + day).date()

    def keys(by: Grouping) -> list[tuple[date | None, str | None]]:
        return [(line.day, line.model) for line in summarize(jobs, by=by).bought]

    assert keys(Grouping.MODEL) == [(None, "a"), (None, "b")]
    assert keys(Grouping.DAY) == [(second, None), (first, None)]
    assert keys(Grouping.BOTH) == [(second, "a"), (second, "b"), (first, "a"), (first, "b")]


def test_a_day_is_utcs_wherever_one_is() -> None:
    """As the server's daily budget counts."""
    tokyo = timezone(timedelta(hours=9))
    assert day_of(job(at=datetime(2026, 1, 3, 8, tzinfo=tokyo))) == date(2026, 1, 2)


RECEIPTS = st.one_of(
    st.none(),
    st.sampled_from(ChargeState).map(receipt),
    st.integers(min_value=0, max_value=10**12).map(usd),
)
JOBS = st.lists(
    st.builds(
        job,
        RECEIPTS,
        model=st.sampled_from("abc"),
        at=st.datetimes(
            min_value=datetime(2026, 1, 1),  # noqa: DTZ001  # Hypothesis adds the zone.
            max_value=datetime(2026, 1, 4),  # noqa: DTZ001
            timezones=st.just(UTC),
        ),
        sandbox=st.booleans(),
    )
)


@given(jobs=JOBS, by=st.sampled_from(Grouping))
def test_however_it_is_split_nothing_is_lost(jobs: list[Job], by: Grouping) -> None:
    found = summarize(jobs, by=by)
    assert sum((line.spent for line in found.bought), start=Spent()) == found.total
    assert found.total.generations == sum(not one.sandbox for one in jobs)
    assert sum(line.spent.generations for line in found.sandbox) == sum(one.sandbox for one in jobs)
    amounts = [one.receipt.amount for one in jobs if one.receipt and not one.sandbox]
    assert found.total.micros == sum(amount.amount_micros for amount in amounts if amount)
