## Has the editor import a file, and waits until it really has.
##
## A folder that the editor has not scanned yet is unknown to `update_file`, and
## `filesystem_changed` may belong to another scan; so each step is looked at, not assumed.
@tool
extends RefCounted

const _PATIENCE_S := 120.0
const _PAUSE_S := 2.0


## Import `path`; return whether it can be loaded now. To be awaited.
static func import_file(path: String) -> bool:
	var files := EditorInterface.get_resource_filesystem()
	var tree := Engine.get_main_loop() as SceneTree
	var give_up := Time.get_ticks_usec() + int(_PATIENCE_S * 1e6)
	while files.is_scanning() or files.get_filesystem_path(path.get_base_dir()) == null:
		if not files.is_scanning():
			files.scan()
		await tree.process_frame
		if Time.get_ticks_usec() > give_up:
			return false
	var again := 0
	while not _is_imported(path):
		if _is_refused(path) or Time.get_ticks_usec() > give_up:
			return false
		# A scan of the editor's own may be importing it: `reimport_files` does nothing then.
		if not files.is_scanning() and Time.get_ticks_usec() >= again:
			again = Time.get_ticks_usec() + int(_PAUSE_S * 1e6)
			files.update_file(path)
			if not _is_imported(path):
				files.reimport_files(PackedStringArray([path]))
		await tree.process_frame
	return true


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
