## Plays a scenario in the real editor, then ends it: with 0 only where every check held.
@tool
extends EditorPlugin

const Scenario := preload("scenario.gd")
const SCENARIOS := "res://addons/assetwright_test/%s.gd"


func _enter_tree() -> void:
	var scenario := OS.get_environment("SCENARIO")
	if scenario:
		_play.call_deferred(scenario)


func _play(scenario: String) -> void:
	while EditorInterface.get_resource_filesystem().is_scanning():
		await get_tree().process_frame
	var script: GDScript = load(SCENARIOS % scenario)
	var player: RefCounted = script.new()
	player.plugin = Scenario.find_plugin(get_tree())
	player.tree = get_tree()
	await player.play()
	for failure: String in player.failures:
		print("FAILED ", failure)
	print("scenario over: ", player.checks, " checks")
	get_tree().quit(0 if player.failures.is_empty() and player.checks > 0 else 1)
