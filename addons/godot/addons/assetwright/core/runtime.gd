## For games: ask an Assetwright server for assets while the game runs.
##
##     var assets := preload("res://addons/assetwright/core/runtime.gd").new()
##     add_child(assets)
##     assets.connect_to("http://127.0.0.1:50052")
##     await assets.ready_to_use
##     var chair: Node3D = await assets.make_mesh("pixal3d", picture_bytes, "chair", 0.9)
##
## Files are kept below user://assetwright. Errors are told by `failed`.
@tool
extends Node

## The catalog is here; `session.problem` is null where all is well.
signal ready_to_use
## A job goes on.
signal progressed(job: Job)
## A job did not come to a good end.
signal failed(problem: Problem)

const AssetPb := preload("../proto/asset.gd")
const Collision := preload("collision.gd")
const GenerationServicePb := preload("../proto/generation_service.gd")
const Job := preload("job.gd")
const ModelPb := preload("../proto/model.gd")
const Problem := preload("problem.gd")
const ProcessingPb := preload("../proto/processing.gd")
const Session := preload("session.gd")

const FOLDER := "user://assetwright"
const _BUDGET_USEC := 2000

var session: Session


func _init() -> void:
	session = Session.new(_place, ProjectSettings.get_setting("application/config/name", ""))
	session.connected.connect(ready_to_use.emit)


func _process(_delta: float) -> void:
	session.tick(_BUDGET_USEC)


func _exit_tree() -> void:
	session.close()


## Speak with a server. `ready_to_use` follows.
func connect_to(address: String, token := "") -> void:
	session.connect_to(address, token)


## Make a mesh from a picture's bytes, `height_m` metres tall, its base at the origin. Return a
## node that is not in the tree yet, or null; then `failed` was emitted. To be awaited.
func make_mesh(
	model_id: String, picture: PackedByteArray, called: String, height_m: float, parameters := {}
) -> Node3D:
	var request := GenerationServicePb.GenerateRequest.new()
	request.model = model_id
	for name: String in parameters:
		request.parameters[name] = value_of(parameters[name])
	request.processing = ProcessingPb.ProcessingOptions.new()
	request.processing.height_m = height_m
	request.processing.pivot = ProcessingPb.Pivot.BASE
	request.processing.engine_profile = ProcessingPb.EngineProfile.GODOT
	var job := session.generate(request, {ModelPb.InputRole.SOURCE: picture}, called)
	job.changed.connect(func() -> void: progressed.emit(job))
	await job.ended
	if job.phase != Job.Phase.DONE or job.files.is_empty():
		failed.emit(job.problem)
		return null
	return load_mesh(job.files[0])


## Return the scene in a GLB file, with its collision shapes, or null.
static func load_mesh(path: String) -> Node3D:
	var document := GLTFDocument.new()
	var state := GLTFState.new()
	if document.append_from_file(path, state) != OK:
		return null
	var scene := document.generate_scene(state) as Node3D
	Collision.make_from_names(scene)
	return scene


## Return a value as the contract has it.
static func value_of(from: Variant) -> ModelPb.ParameterValue:
	var made := ModelPb.ParameterValue.new()
	match typeof(from):
		TYPE_BOOL:
			made.bool_value = from
		TYPE_INT:
			made.int_value = from
		TYPE_FLOAT:
			made.float_value = from
		_:
			made.string_value = str(from)
	return made


func _place(job: Job, asset: AssetPb.Asset) -> String:
	var folder := FOLDER.path_join(job.job_id)
	DirAccess.make_dir_recursive_absolute(folder)
	return folder.path_join(asset.name.get_file().validate_filename())
