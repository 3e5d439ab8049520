## Takes the guide's screenshots: plays what it tells in a real window.
@tool
extends "scenario.gd"


func play() -> void:
	var root := Node3D.new()
	root.name = "Level"
	EditorInterface.add_root_node(root)
	EditorInterface.set_main_screen_editor("3D")
	OS.low_processor_usage_mode = false
	_bring_to_front("Assetwright")
	if not await connected():
		return
	var form: Control = plugin.dock.form
	form.choose_model("pixal3d")
	form.name_field.text = "Toadstool"
	form.picture.choose("res://example/toadstool.png")
	form.processing.height.value = 0.9
	form.processing.budget.value = 5000
	set_parameter("decimation_target", 2000)
	await until(func() -> bool: return "not known" not in plugin.dock.price.text, "a price")
	await _shoot("create")
	var first := press_generate("pixal3d", "Toadstool", "")
	await ready(first)
	await _show_running()
	press(first, "Add")
	EditorInterface.inspect_object(root.get_child(0))
	_bring_to_front("Inspector")
	await _shoot("scene")
	_bring_to_front("Assetwright")
	plugin.dock.tabs.current_tab = 0
	save("http://127.0.0.1:9", "")
	await until(func() -> bool: return plugin.session.problem != null, "a problem")
	await _shoot("refused")


func _show_running() -> void:
	var second := press_generate("pixal3d", "Tall toadstool", "")
	await until(func() -> bool: return second.estimate_s > 0, "an estimate")
	await _wait(1.5)
	await _shoot("jobs")
	press(second, "Cancel")
	await until(func() -> bool: return not second.is_running(), "it ends")


func _bring_to_front(title: String) -> void:
	var node: Node = plugin.dock
	while node.get_parent() is not TabContainer:
		node = node.get_parent()
	var docks := node.get_parent() as TabContainer
	for index in docks.get_tab_count():
		if docks.get_tab_title(index) == title or docks.get_tab_control(index).name == title:
			docks.current_tab = index


func _wait(seconds: float) -> void:
	await tree.create_timer(seconds).timeout


func _shoot(called: String) -> void:
	await _wait(0.7)
	await RenderingServer.frame_post_draw
	var image := plugin.get_viewport().get_texture().get_image()
	check(not image.is_empty(), "the window can be read")
	image.save_png(OS.get_environment("SHOTS").path_join(called + ".png"))
