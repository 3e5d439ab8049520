## The editor's side: the dock, the session behind it, and what is done with results.
@tool
extends EditorPlugin

const Details := preload("ui/details.gd")
const Dock := preload("ui/dock.gd")
const Importer := preload("editor/importer.gd")
const Job := preload("core/job.gd")
const Library := preload("editor/library.gd")
const LocalServer := preload("editor/local_server.gd")
const Placer := preload("editor/placer.gd")
const Provenance := preload("editor/provenance.gd")
const Session := preload("core/session.gd")
const Settings := preload("editor/settings.gd")

var dock: Dock
var session: Session

var _provenance: Provenance


func _enter_tree() -> void:
	session = Session.new(_place, ProjectSettings.get_setting("application/config/name", ""))
	dock = Dock.new()
	dock.generate_pressed.connect(_on_generate)
	dock.job_action.connect(_on_job_action)
	dock.connection_saved.connect(_on_connection_saved)
	dock.reload_pressed.connect(_connect)
	dock.server_wanted.connect(_start_server)
	dock.older_pressed.connect(_load_history.bind(true))
	dock.price_wanted.connect(_on_price_wanted)
	session.connected.connect(_on_connected)
	session.job_added.connect(_on_job_added)
	session.priced.connect(dock.show_price)
	_provenance = Provenance.new()
	add_inspector_plugin(_provenance)
	add_control_to_dock(DOCK_SLOT_RIGHT_UL, dock)
	_connect.call_deferred()


func _exit_tree() -> void:
	session.close()
	remove_control_from_docks(dock)
	remove_inspector_plugin(_provenance)
	dock.queue_free()


func _process(_delta: float) -> void:
	session.tick()


func _connect() -> void:
	dock.connection.address.text = Settings.address()
	dock.connection.token.text = Settings.token()
	dock.clear_jobs()
	session.connect_to(Settings.address(), Settings.token())


func _on_connection_saved(address: String, token: String) -> void:
	Settings.set_address(address)
	if token != Settings.token() and not Settings.set_token(token):
		push_warning("The token could not be kept in %s." % Settings.token_path())
	_connect()


func _start_server() -> void:
	dock.connection.visible = true
	if not LocalServer.start():
		dock.show_words(LocalServer.HELP)
		return
	Settings.set_address(Settings.DEFAULT)
	for attempt in LocalServer.TRIES:
		dock.show_words(LocalServer.STARTING)
		await get_tree().create_timer(LocalServer.PAUSE_S).timeout
		if Settings.address() != Settings.DEFAULT:
			return
		_connect()
		await session.connected
		if session.problem == null:
			dock.connection.visible = false
			return


func _on_connected() -> void:
	var words := "Connected: %d models." % session.models.size()
	dock.show_connection(session.problem, words, Settings.address())
	if session.problem == null:
		dock.form.show_models(session.models)
		_load_history(false)


func _load_history(more: bool) -> void:
	await session.load_history(more)
	dock.show_older(session.older != "")


func _on_price_wanted() -> void:
	session.ask_price(dock.form.quote_request())


func _on_generate(max_cost_usd: float) -> void:
	var form := dock.form
	var job := session.generate(form.request(), form.pictures(), form.asset_name(), max_cost_usd)
	job.collision_kind = form.processing.collision_kind() if form.makes_mesh() else 0
	dock.tabs.current_tab = 1


func _on_job_added(job: Job) -> void:
	var row := dock.add_job(job)
	dock.rows.move_child(row, 0 if job.job_id.is_empty() else -1)
	job.ended.connect(_on_ended.bind(job))
	if job.phase == Job.Phase.DONE:
		job.files = Library.files_of(job.job_id)
		row.is_ready = not job.files.is_empty()
		row.refresh()


func _on_ended(job: Job) -> void:
	var row := dock.row_of(job)
	if row == null or job.phase != Job.Phase.DONE or job.files.is_empty():
		return
	Library.write_sidecar(job)
	row.is_importing = true
	row.refresh()
	var imported := true
	for path in job.files:
		imported = await Importer.import_file(path) and imported
	if is_instance_valid(row):
		row.is_importing = false
		row.is_ready = imported
		row.refresh()
	if not imported and is_instance_valid(dock):
		dock.show_words("Godot could not import %s; the Output panel says why." % job.files[0])


func _on_job_action(job: Job, what: String) -> void:
	match what:
		"cancel":
			job.cancel()
		"fetch":
			job.fetch()
		"add":
			if Placer.add(get_undo_redo(), job.files[0], job.collision_kind) == null:
				dock.show_words("Open or make a 3D scene first, then add the model to it.")
		"open":
			EditorInterface.get_file_system_dock().navigate_to_path(job.files[0])
		"details":
			add_child(Details.make(job))
		"retry":
			_retry(job)
		"reprocess":
			_process_again(job)
		_:
			if not dock.follow(what) and job.problem:
				dock.copy(job.problem)


func _retry(job: Job) -> void:
	if not job.ended_at_server:
		job.retry()
	elif session.send_again(job) == null:
		dock.tabs.current_tab = 0


func _process_again(job: Job) -> void:
	var wanted := dock.form.processing
	if job.source():
		var again := session.process_again(job, wanted.options())
		again.collision_kind = wanted.collision_kind()


func _place(job: Job, asset: RefCounted) -> String:
	var path := Library.path_for(job, asset)
	if path.ends_with(".glb"):
		Library.write_import_settings(path)
	return path
