## Something that went wrong, as a designer reads it: one sentence, the details, one way out.
@tool
extends RefCounted

const ErrorDetailsPb := preload("../proto/error_details.gd")
const ErrorsPb := preload("../proto/errors.gd")
const GrpcCall := preload("../net/grpc_call.gd")
const StatusPb := preload("../proto/status.gd")
const Words := preload("../proto/words.gd")

const _DOMAIN := "assetwright"
const _UNAUTHENTICATED := 16

## What happened, in a sentence.
var sentence := ""
## What the server or the system said about it; may be empty.
var details := ""
## A row of `Words.ACTIONS`: the way out.
var action := "none"
## A reason of errors.proto without its prefix, or a condition of `Words.CONDITIONS`.
var reason := ""
## The way out in words, as a button says it.
var action_words: String:
	get:
		return Words.ACTIONS.get(action, Words.ACTIONS["none"])
## The request's fields that are wrong, each "field: why".
var violations := PackedStringArray()
## How long to wait before trying again; 0 where the server did not say.
var retry_after_s := 0.0
## The same call may work later, without any change.
var is_transient := false


## Return the problem that a condition of `Words.CONDITIONS` stands for.
static func from_condition(condition: String, what := "") -> RefCounted:
	var problem: RefCounted = new()
	problem._take(condition, Words.CONDITIONS[condition])
	problem.details = what
	return problem


## Return the problem that a reason of errors.proto stands for.
static func from_reason(name: String, what := "") -> RefCounted:
	var problem: RefCounted = new()
	problem._take_reason(name)
	problem.details = what
	return problem


## Return the problem that a call ended with, or null when it ended well.
static func from_call(ended: GrpcCall) -> RefCounted:
	if ended.code == GrpcCall.OK_CODE:
		return null
	var problem: RefCounted = new()
	problem.details = ended.message
	problem.is_transient = ended.code == GrpcCall.UNAVAILABLE
	if not problem._explain(ended.details):
		problem._take_condition(_condition(ended))
	return problem


## Return the problem that a job ended with.
static func from_job(error: ErrorsPb.JobError) -> RefCounted:
	var problem: RefCounted = new()
	var names := ErrorsPb.ErrorReason.keys()
	var index := ErrorsPb.ErrorReason.values().find(error.reason)
	problem._take_reason(names[index] if index > 0 else "")
	problem.details = error.message
	if error.remedy:
		problem.details += "\n" + error.remedy
	return problem


static func _condition(ended: GrpcCall) -> String:
	if ended.status == 403:
		return "SERVER_REFUSES_ORIGIN"
	if ended.status not in [0, 200, 401, 502, 503, 504]:
		return "SERVER_WRONG"
	var is_ours: bool = "grpc-web" in str(ended.headers.get("content-type", ""))
	if ended.status == 200 and not is_ours:
		return "SERVER_WRONG"
	if ended.code == GrpcCall.UNAVAILABLE and ended.status != 0:
		return "CONNECTION_LOST"
	var names := Words.CODES.keys()
	# Words.CODES stands in the order of gRPC's numbers, from 1.
	return Words.CODES[names[ended.code - 1]] if ended.code in range(1, 17) else "UNEXPECTED"


func _explain(packed: PackedByteArray) -> bool:
	var status := StatusPb.Status.new()
	if packed.is_empty() or not status.from_bytes(packed):
		return false
	var known := false
	for item in status.details:
		match item.type_url.get_slice("/", 1):
			"google.rpc.ErrorInfo":
				var info := ErrorDetailsPb.ErrorInfo.new()
				if info.from_bytes(item.value) and info.domain == _DOMAIN:
					_take_reason(info.reason)
					known = true
			"google.rpc.BadRequest":
				var bad := ErrorDetailsPb.BadRequest.new()
				if bad.from_bytes(item.value):
					for violation in bad.field_violations:
						violations.append("%s: %s" % [violation.field, violation.description])
			"google.rpc.RetryInfo":
				var retry := ErrorDetailsPb.RetryInfo.new()
				if retry.from_bytes(item.value) and retry.retry_delay:
					retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos * 1e-9
	return known


func _take_reason(name: String) -> void:
	if Words.REASONS.has(name):
		_take(name, Words.REASONS[name])
	else:
		_take("UNEXPECTED", Words.CONDITIONS["UNEXPECTED"])


func _take_condition(name: String) -> void:
	_take(name, Words.CONDITIONS[name])


func _take(name: String, row: Dictionary) -> void:
	reason = name
	sentence = row["sentence"]
	action = row["action"]
