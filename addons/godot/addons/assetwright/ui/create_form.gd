## The form for a new asset, drawn from the server's catalog.
@tool
extends VBoxContainer

## Something that matters for the request has changed.
signal edited

const GenerationServicePb := preload("../proto/generation_service.gd")
const ModelPb := preload("../proto/model.gd")
const ParameterRow := preload("parameter_row.gd")
const PictureField := preload("picture_field.gd")
const ProcessingForm := preload("processing_form.gd")

const _TASKS := {
	ModelPb.ModelTask.IMAGE_TO_3D: "3D from a picture",
	ModelPb.ModelTask.TEXT_TO_IMAGE: "Picture from words",
	ModelPb.ModelTask.IMAGE_TO_IMAGE: "Picture from a picture",
	ModelPb.ModelTask.INPAINT: "Repainted picture",
}

var picker := OptionButton.new()
var name_field := LineEdit.new()
var source := OptionButton.new()
var picture := PictureField.new("Picture")
var mask := PictureField.new("Mask (white is painted anew)")
var prompt := TextEdit.new()
var processing := ProcessingForm.new()
var parameters := VBoxContainer.new()
## Shown where nobody publishes the price.
var accept_unpriced := CheckBox.new()

var _models: Array[ModelPb.Model] = []
var _about := Label.new()
var _more := CheckButton.new()


func _init() -> void:
	picker.clip_text = true
	picker.item_selected.connect(func(_index: int) -> void: _on_model())
	add_child(picker)
	_about.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	_about.add_theme_color_override("font_color", Color(1, 1, 1, 0.6))
	add_child(_about)
	name_field.placeholder_text = "Name, such as wooden chair"
	name_field.text_changed.connect(func(_to: String) -> void: edited.emit())
	add_child(name_field)
	source.clip_text = true
	source.item_selected.connect(func(_index: int) -> void: _show_fields())
	add_child(source)
	for field: PictureField in [picture, mask]:
		field.edited.connect(edited.emit)
		add_child(field)
	prompt.custom_minimum_size = Vector2(0, 64)
	prompt.wrap_mode = TextEdit.LINE_WRAPPING_BOUNDARY
	prompt.placeholder_text = "What to make, in words"
	prompt.text_changed.connect(edited.emit)
	add_child(prompt)
	processing.edited.connect(edited.emit)
	add_child(processing)
	_more.text = "The model's own parameters"
	_more.toggled.connect(func(on: bool) -> void: parameters.visible = on)
	add_child(_more)
	parameters.visible = false
	add_child(parameters)
	accept_unpriced.text = "Generate without a known price"
	accept_unpriced.visible = false
	add_child(accept_unpriced)


## Show a catalog. What was chosen stays chosen where it still is there.
func show_models(models: Array[ModelPb.Model]) -> void:
	var chosen := model().model_id if model() else ""
	_models = models.filter(func(one: ModelPb.Model) -> bool: return _TASKS.has(one.task))
	_models.sort_custom(
		func(a: ModelPb.Model, b: ModelPb.Model) -> bool:
			return [a.task, a.display_name] < [b.task, b.display_name]
	)
	picker.clear()
	var last := 0
	for index in _models.size():
		var one := _models[index]
		if one.task != last:
			picker.add_separator(_TASKS[one.task])
			last = one.task
		picker.add_item(one.display_name, index)
		var at := picker.item_count - 1
		picker.set_item_disabled(at, not one.ready)
		picker.set_item_tooltip(at, one.not_ready_reason if not one.ready else one.description)
		if one.ready and (one.model_id == chosen or picker.selected < 1):
			picker.select(at)
	_on_model()


## Choose a model by its id.
func choose_model(model_id: String) -> void:
	for at in picker.item_count:
		if (
			not picker.is_item_separator(at)
			and _models[picker.get_item_id(at)].model_id == model_id
		):
			picker.select(at)
	_on_model()


## Return the chosen model, or null.
func model() -> ModelPb.Model:
	var id := picker.get_selected_id()
	return _models[id] if id >= 0 and id < _models.size() else null


## Whether the chosen model makes meshes.
func makes_mesh() -> bool:
	return model() != null and model().task == ModelPb.ModelTask.IMAGE_TO_3D


## Return the request without pictures, or null without a model.
func request() -> GenerationServicePb.GenerateRequest:
	if model() == null:
		return null
	var made := GenerationServicePb.GenerateRequest.new()
	made.model = model().model_id
	made.parameters = _values()
	if prompt.visible and prompt.text.strip_edges():
		made.prompt = prompt.text.strip_edges()
	if _image_model():
		made.image_stage = GenerationServicePb.ImageStage.new()
		made.image_stage.model = _image_model().model_id
	if accept_unpriced.visible and accept_unpriced.button_pressed:
		made.accept_unpriced = true
	if makes_mesh():
		made.processing = processing.options()
	return made


## Return what a quote needs to know.
func quote_request() -> GenerationServicePb.QuoteRequest:
	var wanted := request()
	if wanted == null:
		return null
	var made := GenerationServicePb.QuoteRequest.new()
	made.model = wanted.model
	made.parameters = wanted.parameters
	made.image_stage = wanted.image_stage
	return made


## Return the pictures to send, by role.
func pictures() -> Dictionary:
	var found := {}
	if picture.visible and picture.path:
		found[ModelPb.InputRole.SOURCE] = picture.bytes()
	if mask.visible and mask.path:
		found[ModelPb.InputRole.MASK] = mask.bytes()
	return found


## Return what is missing, in a sentence; empty when the form can be sent.
func missing() -> String:
	if model() == null:
		return "Choose a model."
	if _takes(ModelPb.InputRole.SOURCE, true) and picture.visible and picture.path.is_empty():
		return "Choose a picture."
	if _takes(ModelPb.InputRole.MASK, true) and mask.visible and mask.path.is_empty():
		return "Choose a mask."
	var asked := model().requires_prompt or _image_model() != null
	if asked and prompt.text.strip_edges().is_empty():
		return "Say in words what to make."
	return ""


## Return the name for the asset.
func asset_name() -> String:
	if name_field.text.strip_edges():
		return name_field.text.strip_edges()
	if prompt.visible and prompt.text.strip_edges():
		return prompt.text.strip_edges().substr(0, 40)
	return picture.path.get_file().get_basename() if picture.path else "asset"


func _on_model() -> void:
	var one := model()
	for row in parameters.get_children():
		parameters.remove_child(row)
		row.queue_free()
	source.clear()
	if one:
		_about.text = one.description
		source.add_item("From a picture", 0)
		for index in _models.size() if makes_mesh() else 0:
			var other := _models[index]
			if other.task == ModelPb.ModelTask.TEXT_TO_IMAGE and other.ready:
				source.add_item("From words, by way of %s" % other.display_name, index + 1)
		for parameter in one.parameters:
			var row := ParameterRow.new(parameter)
			row.edited.connect(edited.emit)
			parameters.add_child(row)
	_show_fields()


func _show_fields() -> void:
	var one := model()
	source.visible = makes_mesh()
	picture.visible = one != null and _takes(ModelPb.InputRole.SOURCE) and _image_model() == null
	mask.visible = one != null and _takes(ModelPb.InputRole.MASK)
	prompt.visible = one != null and (one.takes_prompt or _image_model() != null)
	processing.visible = makes_mesh()
	_more.visible = one != null and not one.parameters.is_empty()
	edited.emit()


func _takes(role: int, required := false) -> bool:
	for spec in model().inputs:
		if spec.role == role:
			return spec.required or not required
	return false


func _image_model() -> ModelPb.Model:
	var id := source.get_selected_id()
	return _models[id - 1] if makes_mesh() and id > 0 else null


func _values() -> Dictionary:
	var values := {}
	for row: ParameterRow in parameters.get_children():
		var given := row.value()
		if given:
			values[row.parameter.name] = given
	return values
