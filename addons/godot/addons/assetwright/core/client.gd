## Talks to one server. Whoever owns it calls `poll` once a frame; nothing ever waits.
@tool
extends RefCounted

const Call := preload("call.gd")
const Endpoint := preload("../net/endpoint.gd")
const Exchange := preload("../net/http_exchange.gd")
const GenerationServicePb := preload("../proto/generation_service.gd")
const ModelServicePb := preload("../proto/model_service.gd")
const Pb := preload("../proto/pb.gd")

## What all exchanges together may use of a frame, by default.
const BUDGET_USEC := 4000
const UNARY_S := 20.0
const _GENERATION := "assetwright.v1.GenerationService/"
const _MODELS := "assetwright.v1.ModelService/"
## Few enough that reading a page fits into a frame.
const _MODELS_PAGE := 3
const _JOBS_PAGE := 20

var endpoint: Endpoint
var token := ""
## The longest `poll` so far.
var longest_usec := 0

var _running: Array[Exchange] = []
var _next := 0


func _init(at: Endpoint, with_token := "") -> void:
	endpoint = at
	token = with_token


## Do what can be done within the budget, in turns.
func poll(budget_usec := BUDGET_USEC) -> void:
	var begin := Time.get_ticks_usec()
	var busy := _running.duplicate()
	for index in busy.size():
		var exchange: Exchange = busy[(index + _next) % busy.size()]
		var left := begin + budget_usec - Time.get_ticks_usec()
		if left <= 0 and index > 0:
			break
		exchange.poll(Time.get_ticks_usec() + maxi(left, 0) / (busy.size() - index))
	_next += 1
	_running = _running.filter(func(exchange: Exchange) -> bool: return not exchange.over)
	longest_usec = maxi(longest_usec, Time.get_ticks_usec() - begin)


## Let an exchange take part in `poll`.
func adopt(exchange: Exchange) -> void:
	_running.append(exchange)


## End everything that is under way; jobs go on at the server.
func close() -> void:
	for exchange in _running:
		exchange.cancel()
	_running.clear()


## Call a unary method of the server.
func unary(method: String, request: Pb.Message, make: Callable) -> Call:
	return _begin(method, request, make, UNARY_S)


func list_models(page_token := "") -> Call:
	var request := ModelServicePb.ListModelsRequest.new()
	request.page_size = _MODELS_PAGE
	request.page_token = page_token
	return unary(_MODELS + "ListModels", request, ModelServicePb.ListModelsResponse.new)


func quote(request: GenerationServicePb.QuoteRequest) -> Call:
	return unary(_GENERATION + "Quote", request, GenerationServicePb.QuoteResponse.new)


## Return the newest jobs with all of these labels.
func list_jobs(labels: Dictionary, page_token := "") -> Call:
	var request := GenerationServicePb.ListJobsRequest.new()
	request.page_size = _JOBS_PAGE
	request.page_token = page_token
	request.labels = labels
	return unary(_GENERATION + "ListJobs", request, GenerationServicePb.ListJobsResponse.new)


func get_job(job_id: String) -> Call:
	var request := GenerationServicePb.GetJobRequest.new()
	request.job_id = job_id
	return unary(_GENERATION + "GetJob", request, GenerationServicePb.GetJobResponse.new)


func cancel_job(job_id: String) -> Call:
	var request := GenerationServicePb.CancelJobRequest.new()
	request.job_id = job_id
	return unary(_GENERATION + "CancelJob", request, GenerationServicePb.CancelJobResponse.new)


## Buy a generation; its log streams. Its bytes do not: they are fetched from the disk's side.
func generate(request: GenerationServicePb.GenerateRequest) -> Call:
	request.delivery = GenerationServicePb.Delivery.ANNOUNCE
	return _begin(_GENERATION + "Generate", request, GenerationServicePb.GenerateResponse.new, 0.0)


## Process a stored GLB again; free.
func process(request: GenerationServicePb.ProcessRequest) -> Call:
	request.delivery = GenerationServicePb.Delivery.ANNOUNCE
	return _begin(_GENERATION + "Process", request, GenerationServicePb.ProcessResponse.new, 0.0)


## Follow a job's log behind a position.
func watch(job_id: String, after_sequence: int) -> Call:
	var request := GenerationServicePb.WatchJobRequest.new()
	request.job_id = job_id
	request.after_sequence = after_sequence
	return _begin(_GENERATION + "WatchJob", request, GenerationServicePb.WatchJobResponse.new, 0.0)


func _begin(method: String, request: Pb.Message, make: Callable, timeout_s: float) -> Call:
	var opened := Call.new(make)
	opened.wire.call_method(endpoint, method, request.to_bytes(), token, timeout_s)
	adopt(opened.wire)
	return opened
