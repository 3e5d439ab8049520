## One job in the list: what it is, what goes on, what can be done.
@tool
extends PanelContainer

## The designer wants something: "cancel", "fetch", "add", "open", "details", or an action of the
## shared words.
signal wanted(what: String)

const Job := preload("../core/job.gd")
const JobWords := preload("../core/job_words.gd")

var job: Job
## Whether the result is imported and may be added to a scene.
var is_ready := false
## Whether Godot is importing it.
var is_importing := false

var _title := Label.new()
var _note := Label.new()
var _bar := ProgressBar.new()
var _buttons := HFlowContainer.new()
var _shown := ""


func _init(of: Job) -> void:
	job = of
	size_flags_horizontal = SIZE_EXPAND_FILL
	var box := VBoxContainer.new()
	add_child(box)
	_title.clip_text = true
	_title.text_overrun_behavior = TextServer.OVERRUN_TRIM_ELLIPSIS
	box.add_child(_title)
	_note.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	_note.add_theme_color_override("font_color", Color(1, 1, 1, 0.7))
	box.add_child(_note)
	_bar.max_value = 1.0
	_bar.step = 0.001
	_bar.visible = false
	box.add_child(_bar)
	box.add_child(_buttons)
	job.changed.connect(refresh)
	refresh()


## Show how it stands now.
func refresh() -> void:
	_title.text = "%s · %s" % [job.name, job.model_id if job.model_id else "processing"]
	_title.tooltip_text = job.job_id
	_note.text = note()
	_bar.visible = job.is_running() and job.fraction >= 0
	_bar.value = maxf(job.fraction, 0.0)
	var buttons := _offered()
	var key := str(buttons)
	if key != _shown:
		_shown = key
		_show_buttons(buttons)


## Return the lines below the title.
func note() -> String:
	var lines := PackedStringArray([_now()])
	if job.problem:
		lines.append(job.problem.sentence)
		if job.problem.details and job.phase == Job.Phase.FAILED:
			lines.append(job.problem.details)
		lines.append_array(job.problem.violations)
	if job.is_sandbox:
		lines.append("Sandbox: a stand-in, not a model's work.")
	return "\n".join(lines)


func _now() -> String:
	var said := "%s · %s" % [job.step, JobWords.duration(job.elapsed_s())]
	if job.is_running() and job.estimate_s > 0:
		said += (
			" · usually about %s (%d seen)"
			% [JobWords.duration(job.estimate_s), job.estimate_samples]
		)
	if not job.is_running() and job.receipt:
		said += " · " + JobWords.receipt(job.receipt)
	if is_importing:
		said = said.replace("Done", "Godot imports it")
	elif is_ready:
		said = said.replace("Done", "In the project")
	return said


func _offered() -> Dictionary:
	if is_importing:
		return {}
	if job.is_running():
		return {"cancel": "Cancel"}
	if is_ready:
		var offered := {"add": "Add to scene", "open": "Show file", "details": "Details"}
		if job.source():
			offered["reprocess"] = "Process again (free)"
		return offered
	if job.phase == Job.Phase.DONE:
		return {"fetch": "Import"}
	if job.phase == Job.Phase.FAILED and job.problem and job.problem.action != "none":
		return {job.problem.action: job.problem.action_words}
	return {}


func _show_buttons(offered: Dictionary) -> void:
	for old in _buttons.get_children():
		_buttons.remove_child(old)
		old.queue_free()
	for what: String in offered:
		var button := Button.new()
		button.name = what.to_pascal_case()
		button.text = offered[what]
		button.pressed.connect(func() -> void: wanted.emit(what))
		_buttons.add_child(button)
