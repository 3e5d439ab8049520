## One job, followed from the request to the files on this disk.
##
## A stream that breaks is taken up again where it stopped; a request that was not answered is
## sent again under its request id, which never pays twice. The job itself lives at the server.
@tool
extends RefCounted

## Something to show has changed.
signal changed
## It has ended and its files are here, or it has failed or was cancelled.
signal ended

## SENDING: not accepted yet. RUNNING: the server works. FETCHING: the results come to this disk.
enum Phase { SENDING, RUNNING, FETCHING, DONE, FAILED, CANCELLED }

const AssetPb := preload("../proto/asset.gd")
const Call := preload("call.gd")
const Client := preload("client.gd")
const Download := preload("../net/download.gd")
const GenerationServicePb := preload("../proto/generation_service.gd")
const JobPb := preload("../proto/job.gd")
const JobWords := preload("job_words.gd")
const MoneyPb := preload("../proto/money.gd")
const OlderServer := preload("older_server.gd")
const Problem := preload("problem.gd")
const ReportPb := preload("../proto/report.gd")
const Upload := preload("../net/upload.gd")

const _FIRST_PAUSE_S := 0.5
const _LONGEST_PAUSE_S := 8.0
## Tries to have a request accepted before the designer is told.
const _SENDING_TRIES := 4
const _RESULTS: Array[int] = [
	AssetPb.AssetRole.MODEL, AssetPb.AssetRole.IMAGE, AssetPb.AssetRole.FILE
]

var phase := Phase.SENDING
## What the designer calls it; file names are made from it.
var name := "asset"
var model_id := ""
var prompt := ""
var job_id := ""
var sequence := 0
## The server's own word for what goes on, for people.
var step := ""
## From 0 to 1 where it is measured, else -1.
var fraction := -1.0
## How long the gateway usually takes, in seconds; 0 where nobody knows.
var estimate_s := 0.0
var estimate_samples := 0
## Why it failed; else what hinders it just now; else null.
var problem: Problem = null
var is_sandbox := false
var warnings := PackedStringArray()
var report: ReportPb.Report = null
var receipt: MoneyPb.Receipt = null
## Everything the server keeps of it.
var assets: Array[AssetPb.Asset] = []
## Paths of the results on this disk, once they are here.
var files := PackedStringArray()
## A path for a file of this job: `func(job, asset) -> String`. An empty one is not fetched.
var place: Callable

## It failed at the server, so only a new job can do better.
var ended_at_server := false
## The collision shape that was wanted, a `CollisionKind`; 0 for none.
var collision_kind := 0
## What has to be at the server before the request can be sent; null without.
var upload: Upload = null

var _client: Client
var _request: RefCounted = null
var _call: Call = null
var _download: Download = null
var _waiting: Array[AssetPb.Asset] = []
var _failures := 0
var _again_usec := 0
var _begin_unix := 0.0
var _end_unix := 0.0


func _init(client: Client, called: String, where: Callable) -> void:
	_client = client
	name = called
	place = where
	_begin_unix = Time.get_unix_time_from_system()


## Send a `GenerateRequest` or a `ProcessRequest`; its request id should be set.
func send(request: RefCounted) -> void:
	_request = request
	if request is GenerationServicePb.GenerateRequest:
		model_id = request.model
		prompt = request.prompt
	step = JobWords.SENDING
	_open()


## Take up a job that the server has: follow it, or fetch what it made.
func adopt(known: JobPb.Job) -> void:
	job_id = known.job_id
	model_id = known.model
	is_sandbox = known.sandbox
	if known.create_time:
		_begin_unix = known.create_time.seconds
	step = JobWords.state(known.state)
	match known.state:
		JobPb.JobState.COMPLETED:
			receipt = known.receipt
			_end_unix = known.end_time.seconds if known.end_time else 0.0
			phase = Phase.DONE
			assets = known.assets
		JobPb.JobState.FAILED:
			receipt = known.receipt
			_end_unix = known.end_time.seconds if known.end_time else 0.0
			ended_at_server = true
			_fail(Problem.from_job(known.error) if known.error else null)
		JobPb.JobState.CANCELLED:
			receipt = known.receipt
			_end_unix = known.end_time.seconds if known.end_time else 0.0
			phase = Phase.CANCELLED
		_:
			phase = Phase.RUNNING
			_open()


## Fetch the results of a finished job, again if need be. The report comes with the log.
func fetch() -> void:
	problem = null
	phase = Phase.RUNNING
	sequence = 0
	_open()


## Return what was sent, or null where another session sent it.
func request() -> RefCounted:
	return _request


## Try again what failed on this side: the same request under its id, or the rest of the way.
func retry() -> void:
	_failures = 0
	_end_unix = 0.0
	if job_id:
		fetch()
	elif _request:
		problem = null
		phase = Phase.SENDING
		_open()


## Go on; to be called once a frame, before or after the client's `poll`.
func tick() -> void:
	if upload:
		upload.tick()
	elif _download:
		_download.tick()
		_show_download()
	elif _again_usec > 0 and Time.get_ticks_usec() >= _again_usec:
		_again_usec = 0
		_open()


## Ask the server to stop. What was submitted already is still charged.
func cancel() -> void:
	if phase == Phase.FETCHING:
		_drop_download()
		_finish(Phase.CANCELLED)
	elif job_id.is_empty():
		if upload:
			upload.cancel()
		_drop_call()
		_finish(Phase.CANCELLED)
	elif is_running():
		step = JobWords.CANCELLING
		changed.emit()
		var asked := _client.cancel_job(job_id)
		await asked.done
		if asked.problem and is_running():
			problem = asked.problem
			changed.emit()


## End it with a problem from outside.
func give_up(why: Problem) -> void:
	_fail(why)


## Stop following. The job goes on at the server.
func detach() -> void:
	if upload:
		upload.cancel()
	_drop_call()
	_drop_download()
	_again_usec = 0


## Whether it is neither done nor failed nor cancelled.
func is_running() -> bool:
	return phase in [Phase.SENDING, Phase.RUNNING, Phase.FETCHING]


## Return the gateway's own mesh, which can be processed again, or null.
func source() -> AssetPb.Asset:
	for asset in assets:
		if asset.role == AssetPb.AssetRole.SOURCE and asset.media_type == "model/gltf-binary":
			return asset
	return null


## Seconds since it was accepted, until its end.
func elapsed_s() -> float:
	var until := _end_unix if _end_unix > 0 else Time.get_unix_time_from_system()
	return maxf(until - _begin_unix, 0.0)


func _open() -> void:
	if job_id:
		_call = _client.watch(job_id, sequence)
	elif _request is GenerationServicePb.ProcessRequest:
		_call = _client.process(_request)
	else:
		_call = _client.generate(_request)
	_call.streamed.connect(_on_streamed)
	_call.done.connect(_on_done)


func _on_done() -> void:
	var ended_call := _call
	_call = null
	if not is_running() or phase == Phase.FETCHING or ended_call == null:
		return
	var why := ended_call.problem
	if why and _request and job_id.is_empty():
		var left_out := OlderServer.relent(_request, why)
		if left_out:
			warnings.append_array(left_out)
			_open()
			return
	if why and not (why.is_transient or why.reason == "DRAINING"):
		_fail(why)
		return
	_failures += 1
	if why and job_id.is_empty() and _failures >= _SENDING_TRIES:
		_fail(why)
		return
	problem = Problem.from_condition("CONNECTION_LOST", why.details) if job_id and why else why
	var pause := minf(_FIRST_PAUSE_S * pow(2.0, _failures - 1), _LONGEST_PAUSE_S)
	if why:
		pause = maxf(pause, minf(why.retry_after_s, _LONGEST_PAUSE_S))
	_again_usec = Time.get_ticks_usec() + int(pause * 1e6)
	changed.emit()


func _on_streamed(message: RefCounted) -> void:
	var event: JobPb.JobEvent = message.event
	if event == null or (event.sequence > 0 and event.sequence <= sequence):
		return
	_failures = 0
	problem = null
	job_id = event.job_id
	sequence = maxi(sequence, event.sequence)
	if phase == Phase.SENDING:
		phase = Phase.RUNNING
	_take(event)
	changed.emit()


func _take(event: JobPb.JobEvent) -> void:
	match event.which_kind:
		&"accepted":
			is_sandbox = event.accepted.sandbox
			if event.event_time:
				_begin_unix = event.event_time.seconds + event.event_time.nanos * 1e-9
		&"stage_started":
			step = JobWords.stage(event.stage_started.stage)
			fraction = -1.0
			estimate_s = 0.0
		&"stage_progress":
			step = JobWords.stage(event.stage_progress.stage)
			fraction = event.stage_progress.fraction if event.stage_progress.has_fraction else -1.0
		&"gateway_update":
			_take_gateway(event.gateway_update)
		&"warning":
			warnings.append(event.warning.message)
		&"completed":
			report = event.completed.report
			receipt = event.completed.receipt
			assets = event.completed.assets
			_fetch_results()
		&"failed":
			receipt = event.failed.receipt
			assets = event.failed.assets
			ended_at_server = true
			_fail(Problem.from_job(event.failed.error))
		&"cancelled":
			receipt = event.cancelled.receipt
			assets = event.cancelled.assets
			_finish(Phase.CANCELLED)


func _take_gateway(update: JobPb.GatewayUpdate) -> void:
	step = JobWords.gateway(update.gateway_state)
	fraction = -1.0
	if update.estimate and update.estimate.median:
		estimate_s = update.estimate.median.seconds + update.estimate.median.nanos * 1e-9
		estimate_samples = update.estimate.sample_size


func _fetch_results() -> void:
	phase = Phase.FETCHING
	estimate_s = 0.0
	_drop_call()
	files = PackedStringArray()
	_waiting = assets.filter(func(asset: AssetPb.Asset) -> bool: return asset.role in _RESULTS)
	_fetch_next()


func _fetch_next() -> void:
	if _waiting.is_empty():
		_finish(Phase.DONE)
		return
	var asset: AssetPb.Asset = _waiting.pop_front()
	var path: String = place.call(self, asset)
	if path.is_empty():
		_fetch_next()
		return
	_download = Download.new()
	_download.finished.connect(_on_fetched.bind(path))
	_download.start(_client, asset.asset_id, path, asset.size_bytes, asset.sha256)


func _show_download() -> void:
	if _download.over:
		return
	var share := float(_download.done_bytes) / maxi(_download.total_bytes, 1)
	var words := JobWords.CHECKING if _download.is_checking else JobWords.FETCHING
	if share != fraction or words != step:
		fraction = share
		step = words
		changed.emit()


func _on_fetched(path: String) -> void:
	var trouble := _download.trouble
	_download = null
	if trouble:
		_fail(Problem.from_condition(trouble))
		return
	files.append(path)
	_fetch_next()


func _drop_call() -> void:
	if _call:
		_call.cancel()
		_call = null


func _drop_download() -> void:
	if _download:
		_download.cancel()
		_download = null


func _fail(why: Problem) -> void:
	problem = why
	_finish(Phase.FAILED)


func _finish(into: Phase) -> void:
	phase = into
	fraction = -1.0
	step = JobWords.phase(into)
	_drop_call()
	if _end_unix == 0.0:
		_end_unix = Time.get_unix_time_from_system()
	changed.emit()
	ended.emit.call_deferred()
