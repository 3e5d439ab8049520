## What scenarios share: checks, waiting for what happens, and the dock as a designer uses it.
@tool
extends RefCounted

const Job := preload("res://addons/assetwright/core/job.gd")
const OURS_SCRIPT := "res://addons/assetwright/plugin.gd"
const PATIENCE_S := 60.0

var plugin: EditorPlugin
var tree: SceneTree
var failures := PackedStringArray()
var checks := 0


## Play it. To be awaited.
func play() -> void:
	pass


func check(held: bool, what: String) -> void:
	checks += 1
	if not held:
		failures.append(what)


func check_equal(found: Variant, wanted: Variant, what: String) -> void:
	check(found == wanted, "%s: %s, not %s" % [what, found, wanted])


func check_near(found: float, wanted: float, within: float, what: String) -> void:
	check(absf(found - wanted) <= within, "%s: %s, not %s" % [what, found, wanted])


## Wait until something is so; a failure where it does not become so.
func until(condition: Callable, what: String) -> bool:
	var give_up := Time.get_ticks_msec() + PATIENCE_S * 1000
	while not condition.call():
		if Time.get_ticks_msec() > give_up:
			check(false, "waited in vain until " + what)
			return false
		await tree.process_frame
	return true


## Fill in the server's address, as a designer would, and wait for the catalog.
func connected() -> bool:
	save(OS.get_environment("SERVER"), OS.get_environment("TOKEN"))
	return await until(
		func() -> bool: return not plugin.session.models.is_empty(), "the models are there"
	)


## Save a server and a token.
func save(address: String, token: String) -> void:
	var form: Control = plugin.dock.connection
	form.address.text = address
	form.token.text = token
	(form.find_child("Save", true, false) as Button).pressed.emit()


## Fill the form in and press Generate; return the job.
func press_generate(model_id: String, called: String, picture: String) -> Job:
	var form: Control = plugin.dock.form
	if form.model().model_id != model_id:
		form.choose_model(model_id)
	form.name_field.text = called
	if picture:
		form.picture.choose(picture)
	form.edited.emit()
	check(not plugin.dock.generate.disabled, "Generate can be pressed: " + form.missing())
	plugin.dock.generate.pressed.emit()
	return plugin.session.jobs.back()


## Set one of the chosen model's parameters.
func set_parameter(called: String, to: Variant) -> void:
	for row: Control in plugin.dock.form.parameters.get_children():
		if row.parameter.name == called:
			row.set_value(to)
			return
	check(false, "there is a parameter " + called)


## Press a button of a job's row; return whether it is there.
func press(job: Job, button: String) -> bool:
	var row: Control = plugin.dock.row_of(job)
	var found := row.find_child(button, true, false) as Button
	if found == null:
		check(false, "the row has a button %s: %s" % [button, row.note()])
		return false
	found.pressed.emit()
	return true


func ready(job: Job) -> bool:
	return await until(
		func() -> bool: return plugin.dock.row_of(job).is_ready or job.phase == Job.Phase.FAILED,
		"%s is imported" % job.name
	)


## Ask whoever plays this for something, and wait until it is done.
func ask(what: String) -> void:
	var folder := OS.get_environment("WISHES")
	FileAccess.open(folder.path_join(what), FileAccess.WRITE).close()
	var answer := folder.path_join(what + ".done")
	await until(func() -> bool: return FileAccess.file_exists(answer), "%s is done" % what)
	DirAccess.remove_absolute(answer)


## Return the plugin under test.
static func find_plugin(among: SceneTree) -> EditorPlugin:
	for node in among.root.find_children("*", "EditorPlugin", true, false):
		var script := node.get_script() as Script
		if script and script.resource_path == OURS_SCRIPT:
			return node
	return null
