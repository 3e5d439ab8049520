## What was asked and measured, what it cost, where it came from: in a window.
@tool
extends RefCounted

const Job := preload("../core/job.gd")
const Library := preload("../editor/library.gd")

const _SIZE := Vector2i(560, 420)


## Return a window that shows what is known about a job.
static func make(job: Job) -> AcceptDialog:
	var window := AcceptDialog.new()
	window.title = job.name
	window.min_size = _SIZE
	var text := RichTextLabel.new()
	text.selection_enabled = true
	text.text = words(Library.read(Library.sidecar_of(job.files[0])))
	window.add_child(text)
	window.visibility_changed.connect(
		func() -> void:
			if not window.visible:
				window.queue_free()
	)
	window.ready.connect(window.popup_centered)
	return window


## Return a sidecar as lines for people.
static func words(facts: Dictionary) -> String:
	var lines := PackedStringArray()
	for pair: Array in [["model", "Model"], ["prompt", "Prompt"], ["cost", "Price"]]:
		if facts.get(pair[0], ""):
			lines.append("%s: %s" % [pair[1], facts[pair[0]]])
	for check: Dictionary in facts.get("checks", []):
		lines.append(check_words(check))
	for warning: String in facts.get("warnings", []):
		lines.append("Note: " + warning)
	if facts.get("licence", ""):
		lines.append(facts["licence"])
	if facts.get("job_id", ""):
		lines.append("Job: " + facts["job_id"])
	return "\n".join(lines)


## Return one line of the report.
static func check_words(check: Dictionary) -> String:
	var mark := {"PASSED": "✓", "FAILED": "✗"}.get(check.get("outcome", ""), "–")
	var called := str(check.get("name", "")).trim_suffix("_m").capitalize()
	var line := "%s %s" % [mark, called]
	if check.has("asked"):
		line += ": asked %s" % _number(check["asked"])
	if check.has("measured"):
		line += ", measured %s" % _number(check["measured"])
	return "%s %s" % [line, check.get("unit", "")]


static func _number(value: float) -> String:
	return String.num(value, 4).trim_suffix(".0")
