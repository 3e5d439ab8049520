## Downloads one asset in every way that it may go, and measures what a frame has to give for it.
##
##     godot --headless --script download.gd -- SERVER FOLDER ASSET SIZE SHA256
##
## Prints a line of JSON for each way.
extends SceneTree

const AssetServicePb := preload("res://addons/assetwright/proto/asset_service.gd")
const Call := preload("res://addons/assetwright/core/call.gd")
const Client := preload("res://addons/assetwright/core/client.gd")
const Download := preload("res://addons/assetwright/net/download.gd")
const Endpoint := preload("res://addons/assetwright/net/endpoint.gd")

const _BUDGET_USEC := 4000
const _KILL_AT := 4 * 1024 * 1024
const _DAMAGE_AT := 1000

var _client: Client
var _arguments := OS.get_cmdline_user_args()


func _initialize() -> void:
	_client = Client.new(Endpoint.parse(_arguments[0]))
	_play()


func _play() -> void:
	await _fetch("whole", 0, Callable())
	await _fetch("resumed", _size() / 4, Callable())
	await _fetch("interrupted", 0, _restart_server)
	_damage()
	await _fetch("damaged", -1, Callable())
	await _stream()
	print("downloads over")
	quit(0)


func _size() -> int:
	return int(_arguments[3])


func _path(way: String) -> String:
	return _arguments[1].path_join(way)


# With `there` bytes of it on disk already; `midway` is called once while it comes.
func _fetch(way: String, there: int, midway: Callable) -> void:
	if there > 0:
		var part := FileAccess.open(_path(way) + ".part", FileAccess.WRITE)
		part.store_buffer(FileAccess.open(_path("whole"), FileAccess.READ).get_buffer(there))
		part.close()
	var download := Download.new()
	download.start(_client, _arguments[2], _path(way), _size(), _arguments[4])
	var longest := 0
	var frames := 0
	var begin := Time.get_ticks_usec()
	while not download.over:
		var slice := Time.get_ticks_usec()
		_client.poll(_BUDGET_USEC)
		download.tick()
		longest = maxi(longest, Time.get_ticks_usec() - slice)
		frames += 1
		if midway and download.done_bytes > _KILL_AT:
			await midway.call()
			midway = Callable()
		await process_frame
	_tell(way, longest, frames, begin, download)


func _tell(way: String, longest: int, frames: int, begin: int, download: Download) -> void:
	var facts := {
		"way": way,
		"longest_slice_ms": longest / 1000.0,
		"frames": frames,
		"seconds": (Time.get_ticks_usec() - begin) / 1e6,
	}
	if download:
		facts["trouble"] = download.trouble
		facts["attempts"] = download.attempts
		facts["received"] = download.received_bytes
	print(JSON.stringify(facts))


func _restart_server() -> void:
	await _ask("kill")
	await _ask("start")


func _ask(what: String) -> void:
	var folder := OS.get_environment("WISHES")
	FileAccess.open(folder.path_join(what), FileAccess.WRITE).close()
	while not FileAccess.file_exists(folder.path_join(what + ".done")):
		await process_frame
	DirAccess.remove_absolute(folder.path_join(what + ".done"))


func _damage() -> void:
	var bytes := FileAccess.get_file_as_bytes(_path("whole"))
	bytes[_DAMAGE_AT] ^= 1
	bytes.resize(bytes.size() / 2)
	var part := FileAccess.open(_path("damaged") + ".part", FileAccess.WRITE)
	part.store_buffer(bytes)
	part.close()


# The same bytes as messages, through the codec.
func _stream() -> void:
	var request := AssetServicePb.DownloadAssetRequest.new()
	request.asset_id = _arguments[2]
	var hashing := HashingContext.new()
	hashing.start(HashingContext.HASH_SHA256)
	var call_over := Call.new(AssetServicePb.DownloadAssetResponse.new)
	var pieces: Array[PackedByteArray] = []
	call_over.streamed.connect(
		func(message: AssetServicePb.DownloadAssetResponse) -> void:
			if message.which_item == &"chunk":
				pieces.append(message.chunk.data)
	)
	var method := "assetwright.v1.AssetService/DownloadAsset"
	call_over.wire.call_method(_client.endpoint, method, request.to_bytes())
	_client.adopt(call_over.wire)
	var longest := 0
	var frames := 0
	var begin := Time.get_ticks_usec()
	while not call_over.over:
		var slice := Time.get_ticks_usec()
		_client.poll(_BUDGET_USEC)
		longest = maxi(longest, Time.get_ticks_usec() - slice)
		frames += 1
		await process_frame
	_tell("streamed", longest, frames, begin, null)
	for piece in pieces:
		hashing.update(piece)
	print("streamed sha256 ", hashing.finish().hex_encode())
