## Shows in the inspector where an added model came from and what was measured.
@tool
extends EditorInspectorPlugin

const Details := preload("../ui/details.gd")
const META := "assetwright"


func _can_handle(object: Object) -> bool:
	return object is Node3D and object.has_meta(META)


func _parse_begin(object: Object) -> void:
	var label := Label.new()
	label.text = Details.words(object.get_meta(META))
	label.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	add_custom_control(label)
