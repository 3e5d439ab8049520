## One gRPC-Web call: a message out, messages and a status back.
##
## The form is PROTOCOL-WEB's; docs/grpc-web.md of the server describes it.
@tool
extends "http_exchange.gd"

## A message of the answer.
signal message_received(bytes: PackedByteArray)
## The call is over. Emitted once, after the frame in which it ended.
signal finished

const MAX_MESSAGE_BYTES := 16 * 1024 * 1024
const _PREFIX_BYTES := 5
const _TRAILERS := 0x80
# What a proxy's HTTP status means, by PROTOCOL-HTTP2's table; everything else is UNKNOWN.
const _CODES := {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
const OK_CODE := 0
const UNKNOWN := 2
const DEADLINE_EXCEEDED := 4
const RESOURCE_EXHAUSTED := 8
const INTERNAL := 13
const UNAVAILABLE := 14

## The status, a number of gRPC; -1 before it is known.
var code := -1
## The status's message, for people.
var message := ""
## A google.rpc.Status in binary form; empty without one.
var details := PackedByteArray()

var _buffer := PackedByteArray()
var _at := 0


## Begin. `token` may be empty; `timeout_s` of 0 sets no deadline.
func call_method(
	endpoint: Endpoint, method: String, request: PackedByteArray, token := "", timeout_s := 0.0
) -> void:
	var frame := PackedByteArray([0, 0, 0, 0, 0])
	frame.encode_u32(1, _swapped(request.size()))
	frame.append_array(request)
	var lines := PackedStringArray(
		[
			"Content-Type: application/grpc-web+proto",
			"Accept: application/grpc-web+proto",
			"X-Grpc-Web: 1",
		]
	)
	if token:
		lines.append("Authorization: Bearer " + token)
	if timeout_s > 0:
		lines.append("Grpc-Timeout: %dm" % int(timeout_s * 1000))
	var patience := timeout_s + 1.0 if timeout_s > 0 else 0.0
	start(endpoint, HTTPClient.METHOD_POST, "/" + method, lines, frame, patience)


func cancel() -> void:
	super()
	if code < 0:
		code = 1
		message = "Cancelled."


static func _swapped(value: int) -> int:
	var low := (value & 0xFF) << 24 | (value & 0xFF00) << 8
	return low | (value >> 8) & 0xFF00 | (value >> 24) & 0xFF


func _on_body(chunk: PackedByteArray) -> void:
	if status != 200:
		return
	if _at > 0 and _at == _buffer.size():
		_buffer = chunk
		_at = 0
	else:
		_buffer.append_array(chunk)
	while not over and code < 0 and _take_frame():
		pass
	if _at > 4 * CHUNK_BYTES:
		_buffer = _buffer.slice(_at)
		_at = 0


func _take_frame() -> bool:
	if _buffer.size() - _at < _PREFIX_BYTES:
		return false
	var flags := _buffer[_at]
	var size := _swapped(_buffer.decode_u32(_at + 1))
	if size > MAX_MESSAGE_BYTES:
		_refuse(RESOURCE_EXHAUSTED, "A message of %d bytes is too large." % size)
		return false
	if flags & ~_TRAILERS:
		_refuse(INTERNAL, "The answer is compressed, which was not asked for.")
		return false
	if _buffer.size() - _at - _PREFIX_BYTES < size:
		return false
	var from := _at + _PREFIX_BYTES
	_at = from + size
	var body := _buffer.slice(from, _at)
	if flags & _TRAILERS:
		_take_trailers(body.get_string_from_utf8())
	else:
		message_received.emit(body)
	return true


func _take_trailers(text: String) -> void:
	var fields := {}
	for line in text.split("\r\n", false):
		var name := line.get_slice(":", 0).strip_edges().to_lower()
		fields[name] = line.substr(name.length() + 1).strip_edges()
	_take_status(fields)


func _take_status(fields: Dictionary) -> void:
	code = int(fields.get("grpc-status", str(UNKNOWN)))
	message = str(fields.get("grpc-message", "")).uri_decode()
	var packed: String = fields.get("grpc-status-details-bin", "")
	if packed:
		packed = packed.rpad(packed.length() + (4 - packed.length() % 4) % 4, "=")
		details = Marshalls.base64_to_raw(packed)


func _refuse(why: int, words: String) -> void:
	code = why
	message = words
	_http.close()
	over = true
	_tell()


func _on_end() -> void:
	if code < 0 and headers.has("grpc-status"):
		_take_status(headers)
	if code < 0 and trouble:
		code = DEADLINE_EXCEEDED if "in time" in trouble else UNAVAILABLE
		message = trouble
	elif code < 0 and status != 200:
		code = _CODES.get(status, UNKNOWN)
		message = "The server answered with HTTP status %d." % status
	elif code < 0:
		code = UNAVAILABLE
		message = "The answer broke off."
	_tell()


func _tell() -> void:
	finished.emit.call_deferred()
