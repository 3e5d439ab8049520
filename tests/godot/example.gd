## Runs the example scene until it shows its mesh, as a game would.
extends SceneTree

const Collision := preload("res://addons/assetwright/core/collision.gd")
const PATIENCE_MS := 60_000


func _initialize() -> void:
	_play()


func _play() -> void:
	var scene: PackedScene = load("res://example/runtime.tscn")
	var example := scene.instantiate()
	example.server = OS.get_cmdline_user_args()[0]
	root.add_child(example)
	var give_up := Time.get_ticks_msec() + PATIENCE_MS
	while example.made == null and Time.get_ticks_msec() < give_up:
		await process_frame
	await process_frame
	var words: Label = example.get_node("Words")
	print("words: ", words.text)
	if example.made:
		var bounds := Collision.bounds_of(example.made)
		print("height: ", bounds.size.y, " base: ", bounds.position.y)
		print("in the tree: ", example.made.is_inside_tree())
	quit(0)
