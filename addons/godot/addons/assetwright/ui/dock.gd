## The dock: what to make, what it costs, what goes on.
@tool
extends VBoxContainer

## The designer pressed Generate and the form is complete.
signal generate_pressed(max_cost_usd: float)
## The designer wants something of a job; see job_row.gd.
signal job_action(job: Job, what: String)
## The designer saved a server and a token.
signal connection_saved(address: String, token: String)
signal reload_pressed
## A server shall be started on this machine.
signal server_wanted
signal older_pressed
## The form has changed and its price is not known.
signal price_wanted

const ConnectionPanel := preload("connection_panel.gd")
const CreateForm := preload("create_form.gd")
const Job := preload("../core/job.gd")
const JobWords := preload("../core/job_words.gd")
const JobRow := preload("job_row.gd")
const Problem := preload("../core/problem.gd")

const _PRICE_PAUSE_S := 0.4
const _REFRESH_S := 1.0
const _MIN_WIDTH := 300
const _MOST_USD := 1000.0

var form := CreateForm.new()
var generate := Button.new()
var price := Label.new()
var cap := SpinBox.new()
var status := Label.new()
var tabs := TabContainer.new()
var rows := VBoxContainer.new()
var connection := ConnectionPanel.new()

var _server := Label.new()
var _way_out := Button.new()
var _older := Button.new()
var _price_in_s := -1.0
var _refresh_in_s := 0.0
var _problem: Problem = null
var _is_connected := false


func _init() -> void:
	name = "Assetwright"
	custom_minimum_size = Vector2(_MIN_WIDTH, 0)
	_add_head()
	tabs.size_flags_vertical = SIZE_EXPAND_FILL
	add_child(tabs)
	tabs.add_child(_make_create_tab())
	tabs.add_child(_make_jobs_tab())
	form.edited.connect(_on_edited)


func _process(delta: float) -> void:
	if _price_in_s >= 0:
		_price_in_s -= delta
		if _price_in_s < 0:
			price_wanted.emit()
	_refresh_in_s -= delta
	if _refresh_in_s < 0:
		_refresh_in_s = _REFRESH_S
		for row: JobRow in rows.get_children():
			if row.job.is_running():
				row.refresh()


## Show how the connection stands. `found` is null where all is well.
func show_connection(found: Problem, words: String, where: String) -> void:
	_is_connected = found == null
	show_problem(found)
	_server.text = words if found == null else "Not connected"
	_server.tooltip_text = where
	_on_edited()


## Show a problem and its way out above the form; null takes it away.
func show_problem(found: Problem) -> void:
	_problem = found
	_way_out.visible = found != null and found.action != "none"
	status.visible = found != null
	if found == null:
		status.text = ""
		return
	status.text = "\n".join([found.sentence, found.details] if found.details else [found.sentence])
	_way_out.text = found.action_words


## Show words above the form.
func show_words(words: String) -> void:
	show_problem(null)
	status.text = words
	status.visible = words != ""


## Show a price, in words.
func show_price(words: String) -> void:
	price.text = "Price: %s" % words if words else "Price: not known"
	form.accept_unpriced.visible = words == JobWords.NO_PRICE
	if words and form.model() and form.model().sandbox:
		price.text = "Sandbox: free"
		price.tooltip_text = "The real model: %s." % words
		price.mouse_filter = MOUSE_FILTER_STOP


## Show a job on top of the list.
func add_job(job: Job) -> JobRow:
	var row := JobRow.new(job)
	row.wanted.connect(func(what: String) -> void: job_action.emit(job, what))
	rows.add_child(row)
	return row


## Return the row of a job, or null.
func row_of(job: Job) -> JobRow:
	for row: JobRow in rows.get_children():
		if row.job == job:
			return row
	return null


## Forget the jobs that are shown.
func clear_jobs() -> void:
	for row in rows.get_children():
		rows.remove_child(row)
		row.queue_free()


## Show whether there are older jobs to load.
func show_older(there_are: bool) -> void:
	_older.visible = there_are


## Lead to what an action of the shared words is about. Return whether that was possible here.
func follow(action: String) -> bool:
	match action:
		"start_server":
			server_wanted.emit()
		"check_address", "change_token":
			connection.visible = true
			var field := connection.token if action == "change_token" else connection.address
			field.grab_focus()
		"change_form", "change_input", "choose_model", "change_processing", "accept_unpriced":
			tabs.current_tab = 0
			if action == "choose_model":
				form.picker.grab_focus()
			elif action == "accept_unpriced":
				form.accept_unpriced.visible = true
				form.accept_unpriced.grab_focus()
		"raise_cap":
			tabs.current_tab = 0
			cap.get_line_edit().grab_focus()
		"show_history":
			tabs.current_tab = 1
		_:
			return false
	return true


## Put a problem into the clipboard, for whoever can help.
func copy(found: Problem) -> void:
	DisplayServer.clipboard_set("\n".join([found.reason, found.sentence, found.details]))
	show_words("Copied: %s" % found.sentence)


func _on_edited() -> void:
	var lacking := form.missing()
	generate.disabled = not _is_connected or lacking != ""
	generate.tooltip_text = lacking
	_price_in_s = _PRICE_PAUSE_S


func _on_way_out() -> void:
	if _problem == null or follow(_problem.action):
		return
	if _problem.action == "retry":
		reload_pressed.emit()
	else:
		copy(_problem)


func _add_head() -> void:
	var head := HBoxContainer.new()
	_server.text = "Connecting…"
	_server.clip_text = true
	_server.mouse_filter = MOUSE_FILTER_STOP
	_server.size_flags_horizontal = SIZE_EXPAND_FILL
	head.add_child(_server)
	head.add_child(_button("Reload", reload_pressed.emit))
	head.add_child(_button("Server…", _toggle_connection))
	add_child(head)
	status.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	status.visible = false
	add_child(status)
	_way_out.visible = false
	_way_out.pressed.connect(_on_way_out)
	add_child(_way_out)
	connection.visible = false
	connection.saved.connect(connection_saved.emit)
	add_child(connection)


func _toggle_connection() -> void:
	connection.visible = not connection.visible


func _make_create_tab() -> Control:
	var scroll := ScrollContainer.new()
	scroll.name = "Create"
	scroll.horizontal_scroll_mode = ScrollContainer.SCROLL_MODE_DISABLED
	var box := VBoxContainer.new()
	box.size_flags_horizontal = SIZE_EXPAND_FILL
	scroll.add_child(box)
	box.add_child(form)
	var row := HBoxContainer.new()
	price.text = "Price: not known"
	price.size_flags_horizontal = SIZE_EXPAND_FILL
	price.clip_text = true
	row.add_child(price)
	var limit := Label.new()
	limit.text = "at most"
	row.add_child(limit)
	cap.prefix = "$"
	cap.max_value = _MOST_USD
	cap.step = 0.01
	cap.tooltip_text = "Refused where it could cost more; 0 leaves the limit to the server."
	row.add_child(cap)
	box.add_child(row)
	generate.name = "Generate"
	generate.text = "Generate"
	generate.disabled = true
	generate.pressed.connect(func() -> void: generate_pressed.emit(cap.value))
	box.add_child(generate)
	return scroll


func _make_jobs_tab() -> Control:
	var scroll := ScrollContainer.new()
	scroll.name = "Jobs"
	scroll.horizontal_scroll_mode = ScrollContainer.SCROLL_MODE_DISABLED
	var box := VBoxContainer.new()
	box.size_flags_horizontal = SIZE_EXPAND_FILL
	scroll.add_child(box)
	box.add_child(rows)
	_older.text = "Show older"
	_older.visible = false
	_older.pressed.connect(older_pressed.emit)
	box.add_child(_older)
	return scroll


func _button(text: String, pressed: Callable) -> Button:
	var button := Button.new()
	button.text = text
	button.pressed.connect(pressed)
	return button
