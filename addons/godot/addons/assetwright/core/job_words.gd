## What goes on with a job, in a designer's words.
@tool
extends RefCounted

const JobPb := preload("../proto/job.gd")
const MoneyPb := preload("../proto/money.gd")
const ErrorsPb := preload("../proto/errors.gd")

const NO_PRICE := "no price is published"
const SENDING := "Sending the request"
const CANCELLING := "Cancelling"
const FETCHING := "Fetching the result"
const CHECKING := "Checking what arrived"
const _PHASES := ["Sending", "Running", FETCHING, "Done", "Failed", "Cancelled"]
const _STATES := {
	JobPb.JobState.QUEUED: "Waiting for its turn",
	JobPb.JobState.PREPARING: "Preparing the picture",
	JobPb.JobState.SUBMITTING: "Sending it to the provider",
	JobPb.JobState.GENERATING: "The provider works on it",
	JobPb.JobState.DOWNLOADING: "Fetching it from the provider",
	JobPb.JobState.PROCESSING: "Making it fit for the game",
	JobPb.JobState.COMPLETED: "Done",
	JobPb.JobState.FAILED: "Failed",
	JobPb.JobState.CANCELLED: "Cancelled",
}
const _STAGES := {
	JobPb.Stage.IMAGE: "Making the picture",
	JobPb.Stage.PREPARE: "Preparing the picture",
	JobPb.Stage.SUBMIT: "Sending it to the provider",
	JobPb.Stage.GENERATE: "The provider works on it",
	JobPb.Stage.DOWNLOAD: "Fetching it from the provider",
	JobPb.Stage.PROCESS: "Making it fit for the game",
	JobPb.Stage.STORE: "Storing it at the server",
}


static func phase(value: int) -> String:
	return _PHASES[value]


static func state(value: int) -> String:
	return _STATES.get(value, "Running")


static func stage(value: int) -> String:
	return _STAGES.get(value, "Running")


static func gateway(word: String) -> String:
	return "The provider says: %s" % word.to_lower()


## Return an amount such as "$0.42"; other currencies by their code.
static func money(amount: MoneyPb.Money) -> String:
	var value := amount.amount_micros * 1e-6
	var digits := 2 if is_equal_approx(snappedf(value, 0.01), value) else 4
	var text := String.num(value, digits).pad_decimals(digits)
	return "$" + text if amount.currency_code == "USD" else "%s %s" % [text, amount.currency_code]


## Return what a quote says, in a line.
static func price(low: MoneyPb.Money, high: MoneyPb.Money, source: int) -> String:
	if source == MoneyPb.PriceSource.FREE:
		return "free"
	if low == null or high == null:
		return NO_PRICE
	if low.amount_micros == high.amount_micros:
		return money(high)
	return "%s to %s" % [money(low), money(high)]


## Return what a job cost, in a line.
static func receipt(paid: MoneyPb.Receipt) -> String:
	if paid == null:
		return ""
	match paid.charge:
		ErrorsPb.ChargeState.NOT_CHARGED:
			return "not charged"
		ErrorsPb.ChargeState.CHARGED:
			return "cost " + money(paid.amount) if paid.amount else "charged, amount unknown"
	return "nobody says whether it was charged"


## Return seconds as "42 s" or "3:05 min".
static func duration(seconds: float) -> String:
	var whole := int(seconds)
	return "%d s" % whole if whole < 100 else "%d:%02d min" % [whole / 60, whole % 60]
