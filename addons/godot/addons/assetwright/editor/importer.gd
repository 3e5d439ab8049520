## Has the editor import a file, and waits until it really has.
##
## A folder that the editor has not scanned yet is unknown to `update_file`; `filesystem_changed`
## may belong to another scan; a scan imports what it finds, frames pass meanwhile, and
## `reimport_files` must not be called in them. So each step is looked at, not assumed.
@tool
extends RefCounted

const _PATIENCE_S := 120.0
const _PAUSE_S := 2.0
const _BEGINS := &"resources_reimporting"
const _ENDS := &"resources_reimported"

var _files := EditorInterface.get_resource_filesystem()
var _is_importing := false
var _scanned := false
var _next_usec := 0


## Import `path`; return whether it can be loaded now. To be awaited.
static func import_file(path: String) -> bool:
	var importer: RefCounted = new()
	return await importer._import(path)


func _import(path: String) -> bool:
	_listen(true)
	var tree := Engine.get_main_loop() as SceneTree
	var give_up := Time.get_ticks_usec() + int(_PATIENCE_S * 1e6)
	while not _is_imported(path) or _is_importing:
		if _is_refused(path) or Time.get_ticks_usec() > give_up:
			break
		_urge(path)
		await tree.process_frame
	_listen(false)
	return _is_imported(path)


func _urge(path: String) -> void:
	if _files.is_scanning() or _is_importing or Time.get_ticks_usec() < _next_usec:
		return
	_next_usec = Time.get_ticks_usec() + int(_PAUSE_S * 1e6)
	if not _scanned or _files.get_filesystem_path(path.get_base_dir()) == null:
		_scanned = true
		_files.scan()
	else:
		_files.update_file(path)
		_files.reimport_files(PackedStringArray([path]))


func _listen(on: bool) -> void:
	for pair: Array in [[_BEGINS, _on_begin], [_ENDS, _on_end]]:
		if not _files.has_signal(pair[0]):
			continue
		if on:
			_files.connect(pair[0], pair[1])
		else:
			_files.disconnect(pair[0], pair[1])


func _on_begin(_paths: PackedStringArray) -> void:
	_is_importing = true


func _on_end(_paths: PackedStringArray) -> void:
	_is_importing = false
	_next_usec = Time.get_ticks_usec() + int(_PAUSE_S * 1e6)


static func _is_refused(path: String) -> bool:
	var settings := ConfigFile.new()
	return settings.load(path + ".import") == OK and not settings.get_value("remap", "valid", true)


static func _is_imported(path: String) -> bool:
	var settings := ConfigFile.new()
	if settings.load(path + ".import") != OK or not settings.get_value("remap", "valid", true):
		return false
	var imported: String = settings.get_value("remap", "path", "")
	var known := imported != "" and FileAccess.file_exists(imported)
	return known and ResourceLoader.exists(path)
