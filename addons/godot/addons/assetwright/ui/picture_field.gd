## A picture: from the project or from the disk, shown small.
@tool
extends VBoxContainer

signal edited

const _SUFFIXES := "*.png,*.jpg,*.jpeg,*.webp ; Pictures"
const _PREVIEW := Vector2(0, 96)

var path := ""

var _shown := Label.new()
var _preview := TextureRect.new()
var _dialog: FileDialog = null


func _init(title: String) -> void:
	var row := HBoxContainer.new()
	var label := Label.new()
	label.text = title
	label.size_flags_horizontal = SIZE_EXPAND_FILL
	row.add_child(label)
	row.add_child(_button("From project…", FileDialog.ACCESS_RESOURCES))
	row.add_child(_button("From disk…", FileDialog.ACCESS_FILESYSTEM))
	add_child(row)
	_shown.text = "No picture yet; or drop one here."
	_shown.text_overrun_behavior = TextServer.OVERRUN_TRIM_ELLIPSIS
	_shown.clip_text = true
	_shown.add_theme_color_override("font_color", Color(1, 1, 1, 0.6))
	add_child(_shown)
	_preview.custom_minimum_size = _PREVIEW
	_preview.expand_mode = TextureRect.EXPAND_IGNORE_SIZE
	_preview.stretch_mode = TextureRect.STRETCH_KEEP_ASPECT_CENTERED
	_preview.visible = false
	add_child(_preview)


func _can_drop_data(_at: Vector2, data: Variant) -> bool:
	return data is Dictionary and data.get("type", "") == "files" and data["files"].size() == 1


func _drop_data(_at: Vector2, data: Variant) -> void:
	choose(data["files"][0])


## Take the picture at a path, which may begin with res://.
func choose(from: String) -> void:
	var image := Image.new()
	var read := image.load(ProjectSettings.globalize_path(from))
	path = from if read == OK else ""
	_shown.text = from.get_file() if path else "%s is no picture." % from.get_file()
	_shown.tooltip_text = from
	_preview.visible = path != ""
	if path:
		_preview.texture = ImageTexture.create_from_image(image)
	edited.emit()


## Return the file's bytes; empty without a picture.
func bytes() -> PackedByteArray:
	return FileAccess.get_file_as_bytes(path) if path else PackedByteArray()


func _button(text: String, access: FileDialog.Access) -> Button:
	var button := Button.new()
	button.text = text
	button.pressed.connect(_open.bind(access))
	return button


func _open(access: FileDialog.Access) -> void:
	if _dialog:
		_dialog.queue_free()
	_dialog = FileDialog.new()
	_dialog.file_mode = FileDialog.FILE_MODE_OPEN_FILE
	_dialog.access = access
	_dialog.filters = PackedStringArray([_SUFFIXES])
	_dialog.file_selected.connect(choose)
	add_child(_dialog)
	_dialog.popup_centered_ratio(0.5)
