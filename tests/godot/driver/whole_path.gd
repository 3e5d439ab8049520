## From the catalog to a mesh in the scene, and back by undo.
@tool
extends "scenario.gd"

const Collision := preload("res://addons/assetwright/core/collision.gd")
const HEIGHT_M := 0.9


func play() -> void:
	if not await connected():
		return
	_look_at_form()
	plugin.dock.form.processing.height.value = HEIGHT_M
	set_parameter("decimation_target", 2000)
	var job := press_generate("pixal3d", "Wooden Chair", OS.get_environment("PICTURE"))
	if not await ready(job):
		return
	check_equal(job.problem, null, "nothing went wrong")
	check(job.is_sandbox and "Sandbox" in plugin.dock.row_of(job).note(), "the notice is shown")
	check_equal(Array(job.files), ["res://assetwright/wooden-chair/wooden-chair.glb"], "files")
	await _look_at_scene(job)
	await _process_again(job)


func _look_at_form() -> void:
	var form: Control = plugin.dock.form
	form.choose_model("pixal3d")
	var model: RefCounted = form.model()
	var drawn: Array = form.parameters.get_children().map(
		func(row: Control) -> String: return row.parameter.name
	)
	check_equal(
		drawn, model.parameters.map(func(one: RefCounted) -> String: return one.name), "rows"
	)
	check(drawn.size() > 3, "the model has parameters")


func _look_at_scene(job: Job) -> void:
	var root := Node3D.new()
	root.name = "Level"
	EditorInterface.add_root_node(root)
	await tree.process_frame
	press(job, "Add")
	check_equal(root.get_child_count(), 1, "one node was added")
	if root.get_child_count() == 0:
		return
	var added := root.get_child(0) as Node3D
	var bounds := Collision.bounds_of(added)
	check_near(bounds.size.y, HEIGHT_M, HEIGHT_M * 0.01, "height")
	check_near(bounds.position.y, 0.0, 0.001, "base")
	check(Collision.has_body(added), "there is a collision shape")
	check(not added.get_meta("assetwright").get("checks", []).is_empty(), "the report is kept")
	var history := plugin.get_undo_redo().get_history_undo_redo(
		plugin.get_undo_redo().get_object_history_id(root)
	)
	history.undo()
	check_equal(root.get_child_count(), 0, "undo takes it away")
	history.redo()
	check_equal(root.get_child_count(), 1, "redo brings it back")


func _process_again(job: Job) -> void:
	plugin.dock.form.processing.height.value = HEIGHT_M * 2
	press(job, "Reprocess")
	var again: Job = plugin.session.jobs.back()
	check(again != job, "it is a job of its own")
	if not await ready(again):
		return
	check_equal(
		Array(again.files), ["res://assetwright/wooden-chair-2/wooden-chair-2.glb"], "files"
	)
	var scene := (load(again.files[0]) as PackedScene).instantiate() as Node3D
	check_near(Collision.bounds_of(scene).size.y, HEIGHT_M * 2, HEIGHT_M * 0.02, "new height")
	scene.free()
