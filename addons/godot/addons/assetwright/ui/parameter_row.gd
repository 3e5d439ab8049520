## One parameter of a model: its name, and a control made from its type, range and values.
@tool
extends HBoxContainer

signal edited

const ModelPb := preload("../proto/model.gd")

const _WIDE := 1e9

var parameter: ModelPb.Parameter

var _given := CheckBox.new()
var _check: CheckBox = null
var _options: OptionButton = null
var _number: SpinBox = null
var _text: LineEdit = null


func _init(of: ModelPb.Parameter) -> void:
	parameter = of
	tooltip_text = of.help
	name = of.name.to_pascal_case()
	_given.text = of.name.capitalize() + (" *" if of.required else "")
	_given.tooltip_text = of.help if of.help else of.name
	_given.button_pressed = of.required
	_given.disabled = of.required
	_given.size_flags_horizontal = SIZE_EXPAND_FILL
	_given.clip_text = true
	_given.toggled.connect(_on_given)
	add_child(_given)
	var control := _make()
	control.size_flags_horizontal = SIZE_EXPAND_FILL
	control.tooltip_text = of.help
	add_child(control)
	_on_given(of.required)


## Return the value to send, or null where the model's own default holds.
func value() -> ModelPb.ParameterValue:
	if not _given.button_pressed:
		return null
	if _options:
		return parameter.allowed_values[_options.selected]
	var made := ModelPb.ParameterValue.new()
	match parameter.type:
		ModelPb.ParameterType.BOOL:
			made.bool_value = _check.button_pressed
		ModelPb.ParameterType.INT:
			made.int_value = int(_number.value)
		ModelPb.ParameterType.FLOAT:
			made.float_value = _number.value
		_:
			made.string_value = _text.text
	return made


## Set the control, as if the designer had.
func set_value(to: Variant) -> void:
	_given.button_pressed = true
	if _options:
		for index in parameter.allowed_values.size():
			if plain(parameter.allowed_values[index]) == to:
				_options.select(index)
	elif _check:
		_check.button_pressed = to
	elif _number:
		_number.value = to
	else:
		_text.text = to
	edited.emit()


## Return a value as GDScript has it.
static func plain(of: ModelPb.ParameterValue) -> Variant:
	return of.get(of.which_kind) if of and of.which_kind else null


func _make() -> Control:
	var default: Variant = plain(parameter.default_value)
	if not parameter.allowed_values.is_empty() and not parameter.allows_unlisted_values:
		_options = OptionButton.new()
		_options.clip_text = true
		for index in parameter.allowed_values.size():
			var one: Variant = plain(parameter.allowed_values[index])
			_options.add_item(str(one))
			if one == default:
				_options.select(index)
		_options.item_selected.connect(_on_edited)
		return _options
	match parameter.type:
		ModelPb.ParameterType.BOOL:
			_check = CheckBox.new()
			_check.text = "On"
			_check.button_pressed = default == true
			_check.toggled.connect(_on_edited)
			return _check
		ModelPb.ParameterType.INT, ModelPb.ParameterType.FLOAT:
			return _make_number(default)
	_text = LineEdit.new()
	_text.text = str(default) if default != null else ""
	_text.text_changed.connect(_on_edited)
	return _text


func _make_number(default: Variant) -> SpinBox:
	_number = SpinBox.new()
	var is_int := parameter.type == ModelPb.ParameterType.INT
	_number.rounded = is_int
	_number.step = 1.0 if is_int else 0.001
	_number.min_value = parameter.minimum if parameter.has_minimum else -_WIDE
	_number.max_value = parameter.maximum if parameter.has_maximum else _WIDE
	_number.value = default if default != null else maxf(_number.min_value, 0.0)
	_number.value_changed.connect(_on_edited)
	return _number


func _on_given(on: bool) -> void:
	for control: Control in [_check, _options, _text]:
		if control is BaseButton:
			control.disabled = not on
		elif control:
			control.editable = on
	if _number:
		_number.editable = on
	edited.emit()


func _on_edited(_to: Variant) -> void:
	edited.emit()
