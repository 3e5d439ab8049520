## The server's address and the token.
@tool
extends VBoxContainer

signal saved(address: String, token: String)

var address := LineEdit.new()
var token := LineEdit.new()


func _init() -> void:
	address.placeholder_text = "http://127.0.0.1:50052"
	token.secret = true
	token.placeholder_text = "Only where the server asks for one"
	_row("Server", "The HTTP address of an Assetwright server.", address)
	_row("Token", "Kept in a file of yours that only you can read, not in the project.", token)
	var button := Button.new()
	button.name = "Save"
	button.text = "Save and connect"
	button.pressed.connect(_save)
	add_child(button)
	for field: LineEdit in [address, token]:
		field.text_submitted.connect(func(_text: String) -> void: _save())


func _save() -> void:
	saved.emit(address.text.strip_edges(), token.text.strip_edges())


func _row(title: String, help: String, field: LineEdit) -> void:
	var row := HBoxContainer.new()
	var label := Label.new()
	label.text = title
	label.custom_minimum_size = Vector2(60, 0)
	row.add_child(label)
	field.size_flags_horizontal = SIZE_EXPAND_FILL
	field.tooltip_text = help
	row.add_child(field)
	add_child(row)
