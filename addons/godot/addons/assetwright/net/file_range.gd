## One ranged GET of an asset, written behind what a file holds already.
@tool
extends "http_exchange.gd"

## Where in the asset it began.
var offset := 0
## Bytes written by it.
var written := 0

var _file: FileAccess
var _is_asset := false
var _is_unwritable := false


## Begin at `from`, the size of the file at `path`.
func begin(at: Endpoint, token: String, asset_id: String, path: String, from: int) -> void:
	offset = from
	var mode := FileAccess.READ_WRITE if from > 0 else FileAccess.WRITE
	_file = FileAccess.open(path, mode)
	if _file == null:
		_is_unwritable = true
		over = true
		trouble = "The file cannot be written."
		return
	_file.seek(from)
	var lines := PackedStringArray()
	if from > 0:
		lines.append("Range: bytes=%d-" % from)
	if token:
		lines.append("Authorization: Bearer " + token)
	start(
		at, HTTPClient.METHOD_GET, "/v1/assets/" + asset_id.uri_encode(), lines, PackedByteArray()
	)


## Close the file, so that it may be read or renamed.
func close_file() -> void:
	_file = null


func cancel() -> void:
	super()
	close_file()


## Whether another try would end the same way.
func is_hopeless() -> bool:
	return _is_unwritable or status in range(400, 500)


## What to tell: a condition of `Words.CONDITIONS`.
func condition() -> String:
	if _is_unwritable:
		return "UNEXPECTED"
	return "TOKEN_REFUSED" if status in [401, 403] else "SERVER_OLD"


func _on_head() -> void:
	_is_asset = status == (206 if offset > 0 else 200)
	if status == 200 and offset > 0:
		# The range was not honoured: the whole asset comes, so it is written from its beginning.
		offset = 0
		_file.seek(0)
		_is_asset = true


func _on_body(chunk: PackedByteArray) -> void:
	if _is_asset and _file:
		_file.store_buffer(chunk)
		written += chunk.size()
