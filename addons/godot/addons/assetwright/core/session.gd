## What one program does with one server: the catalog, prices, jobs and their history.
##
## Knows nothing of the editor: a game may use it as well. Its owner calls `tick` once a frame.
@tool
extends RefCounted

## The connection's state has changed: see `problem` and `models`.
signal connected
## A job was added to `jobs`.
signal job_added(job: Job)
## A price has come: words, or empty when it is not known yet.
signal priced(words: String)

const Client := preload("client.gd")
const Endpoint := preload("../net/endpoint.gd")
const GenerationServicePb := preload("../proto/generation_service.gd")
const Job := preload("job.gd")
const JobPb := preload("../proto/job.gd")
const JobWords := preload("job_words.gd")
const ModelPb := preload("../proto/model.gd")
const MoneyPb := preload("../proto/money.gd")
const Problem := preload("problem.gd")
const ProcessingPb := preload("../proto/processing.gd")
const Upload := preload("../net/upload.gd")

const _INLINE_BYTES := 1 << 20
const _NAME := "name"
const _CLIENT := "client"
const _PROJECT := "project"
const _LABEL_CHARS := 200
const _MICROS := 1e6

var client: Client = null
var models: Array[ModelPb.Model] = []
## What is wrong with the connection; null where it is fine.
var problem: Problem = null
var jobs: Array[Job] = []
## A path for each result: `func(job, asset) -> String`.
var place: Callable
## What jobs are labelled with, to find them again.
var project := ""
## The token of the next page of history; empty at its end.
var older := ""
## The longest `tick` so far, in microseconds.
var longest_usec := 0

var _quote: RefCounted = null


func _init(where: Callable, project_name: String) -> void:
	place = where
	project = project_name.substr(0, _LABEL_CHARS)


## Speak with the server at an address from now on, and read its catalog.
func connect_to(address: String, token: String) -> void:
	close()
	models.clear()
	problem = null
	var endpoint: Endpoint = Endpoint.parse(address)
	if endpoint == null:
		problem = Problem.from_condition("SERVER_WRONG", "%s is no address." % address)
		connected.emit()
		return
	client = Client.new(endpoint, token)
	await load_models()


## Read the catalog, page after page.
func load_models() -> void:
	var asking := client
	var found: Array[ModelPb.Model] = []
	var page := ""
	while true:
		var opened := asking.list_models(page)
		await opened.done
		if asking != client:
			return
		problem = opened.problem
		if problem:
			break
		found.append_array(opened.reply.models)
		page = opened.reply.next_page_token
		if page.is_empty():
			models = found
			break
	connected.emit()


## Ask what a request would cost; `priced` tells.
func ask_price(request: GenerationServicePb.QuoteRequest) -> void:
	if client == null or request == null:
		return
	var opened := client.quote(request)
	_quote = opened
	await opened.done
	if _quote != opened:
		return
	if opened.problem:
		priced.emit("")
	else:
		var reply: GenerationServicePb.QuoteResponse = opened.reply
		priced.emit(JobWords.price(reply.low, reply.high, reply.source))


## Buy a generation. `pictures` are bytes by role; those too large to send along go ahead.
## `max_cost_usd` of 0 leaves the cap to the server. Return the job.
func generate(
	request: GenerationServicePb.GenerateRequest,
	pictures: Dictionary,
	called: String,
	max_cost_usd := 0.0
) -> Job:
	var job := _new_job(called)
	request.request_id = new_id()
	request.labels = labels(called)
	if max_cost_usd > 0:
		request.max_cost = MoneyPb.Money.new()
		request.max_cost.currency_code = "USD"
		request.max_cost.amount_micros = roundi(max_cost_usd * _MICROS)
	_add(job)
	_send(job, request, pictures)
	return job


## Send a job that failed at the server once more, as a new job, which may cost again. Return it,
## or null where this session did not send the first one.
func send_again(known: Job) -> Job:
	var request := known.request()
	if request == null:
		return null
	request.request_id = new_id()
	var job := _new_job(known.name)
	job.collision_kind = known.collision_kind
	_add(job)
	job.send(request)
	return job


## Process a job's mesh again, as the gateway sent it; free. Return the new job.
func process_again(known: Job, options: ProcessingPb.ProcessingOptions) -> Job:
	var request := GenerationServicePb.ProcessRequest.new()
	request.request_id = new_id()
	request.asset_id = known.source().asset_id
	request.processing = options
	request.labels = labels(known.name)
	var job := _new_job(known.name)
	job.is_sandbox = known.is_sandbox
	_add(job)
	job.send(request)
	return job


## Read the newest jobs of this project, or with `more` those before them, and follow those that
## are under way.
func load_history(more := false) -> void:
	var asking := client
	if asking == null:
		return
	var wanted := {_PROJECT: project, _CLIENT: "godot"}
	var opened := asking.list_jobs(wanted, older if more else "")
	await opened.done
	if asking != client or opened.problem:
		return
	older = opened.reply.next_page_token
	for known: JobPb.Job in opened.reply.jobs:
		if not _has(known.job_id):
			var job := _new_job(known.labels.get(_NAME, "asset"))
			job.adopt(known)
			_add(job)


## Go on with everything; to be called once a frame.
func tick(budget_usec := Client.BUDGET_USEC) -> void:
	if client == null:
		return
	var begin := Time.get_ticks_usec()
	for job in jobs:
		job.tick()
	client.poll(budget_usec)
	longest_usec = maxi(longest_usec, Time.get_ticks_usec() - begin)


## Stop following everything. The jobs go on at the server.
func close() -> void:
	for job in jobs:
		job.detach()
	jobs.clear()
	if client:
		client.close()
	client = null


## Return what this project's jobs are labelled with.
func labels(called: String) -> Dictionary:
	return {_PROJECT: project, _CLIENT: "godot", _NAME: called.substr(0, _LABEL_CHARS)}


## Return a new request id.
static func new_id() -> String:
	return Crypto.new().generate_random_bytes(16).hex_encode()


func _send(job: Job, request: GenerationServicePb.GenerateRequest, pictures: Dictionary) -> void:
	for role: int in pictures:
		var input := GenerationServicePb.InputMessage.new()
		input.role = role
		var bytes: PackedByteArray = pictures[role]
		if bytes.size() <= _INLINE_BYTES:
			input.inline_data = bytes
		else:
			job.step = "Uploading the picture"
			job.changed.emit()
			var upload := Upload.new()
			upload.start(client, bytes)
			job.upload = upload
			await upload.finished
			job.upload = null
			if not job.is_running():
				return
			if upload.problem:
				job.give_up(upload.problem)
				return
			input.asset_id = upload.asset_id
		request.inputs.append(input)
	job.send(request)


func _new_job(called: String) -> Job:
	return Job.new(client, called, place)


func _add(job: Job) -> void:
	jobs.append(job)
	job_added.emit(job)


func _has(job_id: String) -> bool:
	return jobs.any(func(job: Job) -> bool: return job.job_id == job_id)
