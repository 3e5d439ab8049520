## Sends bytes to the server in pieces that fit into a frame, and goes on where a break stopped it.
@tool
extends RefCounted

## It is over; `problem` is null where it went well.
signal finished

const Exchange := preload("http_exchange.gd")
const Problem := preload("../core/problem.gd")

const PIECE_BYTES := 64 * 1024
const _ATTEMPTS := 8
const _FIRST_PAUSE_S := 0.3
const _PIECE_S := 30.0

## The stored asset, once it is there.
var asset_id := ""
var problem: Problem = null
var done_bytes := 0
var over := false

var _client: RefCounted
var _bytes := PackedByteArray()
var _id := ""
var _piece: Piece = null
var _failures := 0
var _pause_until_usec := 0


## One request and the body of its answer.
class Piece:
	extends Exchange
	var body := PackedByteArray()

	func _on_body(chunk: PackedByteArray) -> void:
		body.append_array(chunk)


## Begin. `client` polls.
func start(client: RefCounted, bytes: PackedByteArray) -> void:
	_client = client
	_bytes = bytes
	_id = Crypto.new().generate_random_bytes(16).hex_encode()
	_send()


## Go on; to be called once a frame.
func tick() -> void:
	if over:
		return
	if _piece and _piece.over:
		_take(_piece)
	elif _piece == null and Time.get_ticks_usec() >= _pause_until_usec:
		_send()


func cancel() -> void:
	if _piece:
		_piece.cancel()
	_end(Problem.from_condition("CONNECTION_LOST"))


func _send() -> void:
	var until := mini(done_bytes + PIECE_BYTES, _bytes.size())
	var lines := PackedStringArray(
		[
			"Content-Type: application/octet-stream",
			"Content-Range: bytes %d-%d/%d" % [done_bytes, until - 1, _bytes.size()],
		]
	)
	if _client.token:
		lines.append("Authorization: Bearer " + _client.token)
	_piece = Piece.new()
	var path := "/v1/uploads/" + _id
	var body := _bytes.slice(done_bytes, until)
	_piece.start(_client.endpoint, HTTPClient.METHOD_PUT, path, lines, body, _PIECE_S)
	_client.adopt(_piece)


func _take(piece: Piece) -> void:
	_piece = null
	if piece.status == 201:
		var told: Variant = JSON.parse_string(piece.body.get_string_from_utf8())
		asset_id = told["asset"]["asset_id"] if told is Dictionary else ""
		done_bytes = _bytes.size()
		_end(null if asset_id else Problem.from_condition("SERVER_WRONG"))
	elif piece.headers.has("upload-offset"):
		done_bytes = int(piece.headers["upload-offset"])
		_failures = 0
	elif piece.status in range(400, 500):
		_end(_refusal(piece))
	else:
		_failures += 1
		if _failures >= _ATTEMPTS:
			_end(Problem.from_condition("CONNECTION_LOST", piece.trouble))
		var pause_s := minf(_FIRST_PAUSE_S * pow(2.0, _failures), 8.0)
		_pause_until_usec = Time.get_ticks_usec() + int(pause_s * 1e6)


func _refusal(piece: Piece) -> Problem:
	var told: Variant = JSON.parse_string(piece.body.get_string_from_utf8())
	if told is Dictionary and told.get("error") is Dictionary:
		var error: Dictionary = told["error"]
		return Problem.from_reason(str(error.get("reason", "")), str(error.get("message", "")))
	if piece.status in [401, 403]:
		return Problem.from_condition("TOKEN_REFUSED")
	return Problem.from_condition("SERVER_OLD", "HTTP status %d." % piece.status)


func _end(why: Problem) -> void:
	if over:
		return
	over = true
	problem = why
	finished.emit.call_deferred()
