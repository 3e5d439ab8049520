## Fetches one asset to the disk: in ranges that go on where a broken one stopped, hashed by a
## worker thread, and put under its name only when the hash is right.
@tool
extends RefCounted

## It is over; `trouble` is empty where it went well.
signal finished

const Endpoint := preload("endpoint.gd")
const FileRange := preload("file_range.gd")

const _ATTEMPTS := 8
const _FIRST_PAUSE_S := 0.3
const _HASH_BYTES := 1 << 20

## Bytes on disk.
var done_bytes := 0
## All of them.
var total_bytes := 0
## The file is hashed now.
var is_checking := false
## Why it failed: a condition of `Words.CONDITIONS`; empty while it has not.
var trouble := ""
var over := false
## Connections made.
var attempts := 0
## Bytes that came over the network.
var received_bytes := 0

var _path := ""
var _part := ""
var _asset_id := ""
var _sha256 := ""
var _range: FileRange
var _failures := 0
var _pause_until_usec := 0
var _task := -1
var _digest := ""
var _client: RefCounted


## Begin to fetch `asset_id` of `size_bytes` bytes into `path`. What an earlier try left beside
## it, as NAME.part, is used. `client` polls.
func start(
	client: RefCounted, asset_id: String, path: String, size_bytes: int, sha256: String
) -> void:
	_client = client
	_asset_id = asset_id
	_path = path
	_part = path + ".part"
	_sha256 = sha256
	total_bytes = size_bytes
	_continue()


## Go on; to be called once a frame.
func tick() -> void:
	if over:
		return
	if is_checking:
		if WorkerThreadPool.is_task_completed(_task):
			WorkerThreadPool.wait_for_task_completion(_task)
			is_checking = false
			_judge()
	elif _range == null:
		if Time.get_ticks_usec() >= _pause_until_usec:
			_continue()
	elif _range.over:
		_after_range()
	else:
		done_bytes = _range.offset + _range.written


## Stop. What is on disk stays for another try.
func cancel() -> void:
	over = true
	if _range:
		_range.cancel()
	if is_checking:
		WorkerThreadPool.wait_for_task_completion(_task)
		is_checking = false


func _continue() -> void:
	done_bytes = FileAccess.get_size(_part) if FileAccess.file_exists(_part) else 0
	if done_bytes > total_bytes:
		DirAccess.remove_absolute(_part)
		done_bytes = 0
	if done_bytes == total_bytes and total_bytes > 0:
		_check()
		return
	attempts += 1
	_range = FileRange.new()
	_range.begin(_client.endpoint, _client.token, _asset_id, _part, done_bytes)
	_client.adopt(_range)


func _after_range() -> void:
	var ended := _range
	_range = null
	ended.close_file()
	done_bytes = ended.offset + ended.written
	received_bytes += ended.written
	if done_bytes == total_bytes:
		_check()
	elif ended.is_hopeless():
		_end(ended.condition())
	else:
		_failures = 0 if ended.written > 0 else _failures + 1
		if _failures >= _ATTEMPTS:
			_end("CONNECTION_LOST")
		var pause_s := minf(_FIRST_PAUSE_S * pow(2.0, _failures), 8.0)
		_pause_until_usec = Time.get_ticks_usec() + int(pause_s * 1e6)


func _check() -> void:
	is_checking = true
	_task = WorkerThreadPool.add_task(_hash, false, "hash of a downloaded asset")


func _hash() -> void:
	var hashing := HashingContext.new()
	hashing.start(HashingContext.HASH_SHA256)
	var file := FileAccess.open(_part, FileAccess.READ)
	while file and file.get_position() < file.get_length():
		hashing.update(file.get_buffer(_HASH_BYTES))
	_digest = hashing.finish().hex_encode()


func _judge() -> void:
	if _digest != _sha256:
		DirAccess.remove_absolute(_part)
		_end("FILE_DAMAGED")
	elif DirAccess.rename_absolute(_part, _path) != OK:
		_end("UNEXPECTED")
	else:
		_end("")


func _end(why: String) -> void:
	if over:
		return
	over = true
	trouble = why
	finished.emit.call_deferred()
