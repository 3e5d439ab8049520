## What a designer reads when the server is down, wrong, over budget, or refuses the token.
@tool
extends "scenario.gd"

const Settings := preload("res://addons/assetwright/editor/settings.gd")
const Words := preload("res://addons/assetwright/proto/words.gd")


func play() -> void:
	await _refused(OS.get_environment("NOBODY"), "", "SERVER_DOWN")
	await _refused(OS.get_environment("STRANGER"), "", "SERVER_WRONG")
	await _refused("no address", "", "SERVER_WRONG")
	await _refused(OS.get_environment("SERVER"), "", "UNAUTHENTICATED")
	await _refused(OS.get_environment("SERVER"), "wrong", "UNAUTHENTICATED")
	check((plugin.dock.connection.token as LineEdit).secret, "the token is not shown")
	if not await connected():
		return
	check_equal(Settings.token(), OS.get_environment("TOKEN"), "the token is kept")
	await _over_budget()
	await _wrong_picture()


func _refused(address: String, token: String, reason: String) -> void:
	save(address, token)
	await until(func() -> bool: return plugin.session.problem != null, "%s is told" % reason)
	var problem: RefCounted = plugin.session.problem
	check_equal(problem.reason, reason, address)
	check(problem.sentence in plugin.dock.status.text, "the sentence is shown")
	var way_out := way_out_of(problem)
	check(way_out != null, "there is a way out of %s" % reason)
	if way_out:
		plugin.dock.connection.visible = false
		way_out.pressed.emit()
		check(plugin.dock.connection.visible, "it leads to the server's settings")
	check(plugin.dock.generate.disabled, "nothing can be generated")


func _over_budget() -> void:
	plugin.dock.cap.value = 0.01
	var job := press_generate("pixal3d", "Dear", OS.get_environment("PICTURE"))
	await until(func() -> bool: return not job.is_running(), "it is refused")
	check_equal(job.problem.reason, "BUDGET_EXCEEDED", "reason")
	check(Words.REASONS["BUDGET_EXCEEDED"]["sentence"] in plugin.dock.row_of(job).note(), "said")
	plugin.dock.tabs.current_tab = 1
	press(job, "RaiseCap")
	check_equal(plugin.dock.tabs.current_tab, 0, "the form is shown")
	plugin.dock.cap.value = 0.0


func _wrong_picture() -> void:
	var form: Control = plugin.dock.form
	form.picture.choose("res://project.godot")
	check(plugin.dock.generate.disabled, "a file that is no picture is not sent")


func way_out_of(problem: RefCounted) -> Button:
	for button: Button in plugin.dock.find_children("*", "Button", true, false):
		if button.visible and button.text == problem.action_words:
			return button
	return null
