## One HTTP request and its answer, polled: a call of `poll` does what can be done at once and
## returns when its time is up. Nothing here waits, so it may be used between two frames.
@tool
extends RefCounted

const Endpoint := preload("endpoint.gd")

const CONNECT_S := 10.0
const CHUNK_BYTES := 64 * 1024

## Over, well or not. `trouble` tells.
var over := false
## Why the exchange broke; empty while it has not. The answer's status is not looked at.
var trouble := ""
## The answer's HTTP status; 0 before it is there.
var status := 0
## The answer's headers by their lower-case name.
var headers := {}
## Bytes of the body so far.
var received := 0

var _http := HTTPClient.new()
var _endpoint: Endpoint
var _method := HTTPClient.METHOD_GET
var _path := ""
var _lines := PackedStringArray()
var _body := PackedByteArray()
var _sent := false
var _give_up_usec := 0
var _expected := -1


## Begin. `lines` are header lines. Errors end the exchange with the next `poll`.
func start(
	endpoint: Endpoint,
	method: int,
	path: String,
	lines: PackedStringArray,
	body: PackedByteArray,
	timeout_s := 0.0
) -> void:
	_endpoint = endpoint
	_method = method as HTTPClient.Method
	_path = path
	_lines = lines
	_body = body
	_http.read_chunk_size = CHUNK_BYTES
	_give_up_usec = Time.get_ticks_usec() + int((timeout_s if timeout_s > 0 else 3600.0 * 24) * 1e6)
	var secure := TLSOptions.client() if endpoint.tls else null
	if _http.connect_to_host(endpoint.host, endpoint.port, secure) != OK:
		_break("The address cannot be used.")


## Do what can be done until `until_usec`, a time of `Time.get_ticks_usec`.
func poll(until_usec: int) -> void:
	while not over:
		if not _advance():
			break
		if Time.get_ticks_usec() >= until_usec:
			break
	if not over and Time.get_ticks_usec() > _give_up_usec:
		_break("The server did not answer in time.")


## End it now. The server notices at once.
func cancel() -> void:
	_http.close()
	over = true


# Return whether there may be more to do right now.
func _advance() -> bool:
	if _http.poll() != OK and not _sent:
		_break(_reason())
		return false
	match _http.get_status():
		HTTPClient.STATUS_RESOLVING, HTTPClient.STATUS_CONNECTING, HTTPClient.STATUS_REQUESTING:
			return false
		HTTPClient.STATUS_CONNECTED:
			return _send() if not _sent else _answered()
		HTTPClient.STATUS_BODY:
			return _read()
		HTTPClient.STATUS_DISCONNECTED:
			return _answered() if _sent else _broke()
	return _answered() if status != 0 and _sent else _broke()


func _send() -> bool:
	_sent = true
	if _http.request_raw(_method, _path, _lines, _body) != OK:
		return _broke()
	_body = PackedByteArray()
	return true


func _read() -> bool:
	_take_head()
	var chunk := _http.read_response_body_chunk()
	if chunk.is_empty():
		return _http.get_status() != HTTPClient.STATUS_BODY
	received += chunk.size()
	_on_body(chunk)
	return true


func _take_head() -> void:
	if status != 0:
		return
	status = _http.get_response_code()
	for line in _http.get_response_headers():
		var name := line.get_slice(":", 0).strip_edges().to_lower()
		headers[name] = line.substr(name.length() + 1).strip_edges()
	_expected = int(headers.get("content-length", "-1"))
	_on_head()


func _answered() -> bool:
	if not _http.has_response() and status == 0:
		return _broke()
	_take_head()
	_http.close()
	over = true
	if _expected >= 0 and received < _expected and _method != HTTPClient.METHOD_HEAD:
		trouble = "The connection broke."
	_on_end()
	return false


func _broke() -> bool:
	_break(_reason())
	return false


func _break(why: String) -> void:
	_http.close()
	over = true
	trouble = why
	_on_end()


func _reason() -> String:
	match _http.get_status():
		HTTPClient.STATUS_CANT_RESOLVE:
			return "There is no such host."
		HTTPClient.STATUS_CANT_CONNECT:
			return "Nothing answers there."
		HTTPClient.STATUS_TLS_HANDSHAKE_ERROR:
			return "No secure connection could be made."
	return "The connection broke."


# What the answer's users fill in.


func _on_head() -> void:
	pass


func _on_body(_chunk: PackedByteArray) -> void:
	pass


func _on_end() -> void:
	pass
