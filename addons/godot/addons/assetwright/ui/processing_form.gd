## What shall become of a mesh: height, budget, collision.
@tool
extends VBoxContainer

signal edited

const ProcessingPb := preload("../proto/processing.gd")

const _COLLISIONS := ["None", "Box", "Convex hull", "Convex parts"]
const _LOWEST_TRIANGLES := 100
const _MOST_TRIANGLES := 5_000_000

var height := SpinBox.new()
var budget := SpinBox.new()
var action := OptionButton.new()
var collision := OptionButton.new()


func _init() -> void:
	height.min_value = 0.0
	height.max_value = 1000.0
	height.step = 0.01
	height.value = 1.0
	height.suffix = "m"
	_row("Height", "How tall it stands in the scene; 0 keeps the model's own size.", height)
	budget.min_value = 0
	budget.max_value = _MOST_TRIANGLES
	budget.step = _LOWEST_TRIANGLES
	budget.suffix = "triangles"
	_row("Budget", "The most triangles it may have; 0 for any number.", budget)
	action.add_item("Measure and tell", ProcessingPb.BudgetAction.CHECK)
	action.add_item("Simplify", ProcessingPb.BudgetAction.ENFORCE)
	_row("Over budget", "What to do with a mesh that has more triangles.", action)
	for index in _COLLISIONS.size():
		collision.add_item(_COLLISIONS[index], index)
	collision.select(ProcessingPb.CollisionKind.CONVEX_HULL)
	_row("Collision", "The collision shape that it gets.", collision)


## Return the options to send.
func options() -> ProcessingPb.ProcessingOptions:
	var made := ProcessingPb.ProcessingOptions.new()
	if height.value > 0:
		made.height_m = height.value
	made.pivot = ProcessingPb.Pivot.BASE
	made.engine_profile = ProcessingPb.EngineProfile.GODOT
	if budget.value > 0:
		made.max_triangles = int(budget.value)
		made.budget_action = action.get_selected_id()
	if collision_kind() > 0:
		made.collision = ProcessingPb.CollisionOptions.new()
		made.collision.kind = collision_kind()
	return made


## Return the wanted `CollisionKind`; 0 for none.
func collision_kind() -> int:
	return collision.selected


func _row(title: String, help: String, control: Control) -> void:
	var row := HBoxContainer.new()
	var label := Label.new()
	label.text = title
	label.tooltip_text = help
	label.mouse_filter = MOUSE_FILTER_STOP
	label.size_flags_horizontal = SIZE_EXPAND_FILL
	control.tooltip_text = help
	control.size_flags_horizontal = SIZE_EXPAND_FILL
	row.add_child(label)
	row.add_child(control)
	add_child(row)
	for changed: StringName in [&"value_changed", &"item_selected"]:
		if control.has_signal(changed):
			control.connect(changed, func(_to: Variant) -> void: edited.emit())
