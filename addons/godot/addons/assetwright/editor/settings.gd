## Where the server is and how to be let in: the user's own settings, never the project's.
##
## The address is in the editor's settings. The token is in a file of the user's that only they
## can read; the variable ASSETWRIGHT_TOKEN goes before it.
@tool
extends RefCounted

const Endpoint := preload("../net/endpoint.gd")

const DEFAULT := Endpoint.DEFAULT
const ADDRESS := "assetwright/server/address"
const TOKEN_VARIABLE := "ASSETWRIGHT_TOKEN"
const _READ_WRITE_OWNER := 0x180  # 0600.


static func address() -> String:
	var settings := EditorInterface.get_editor_settings()
	if settings.has_setting(ADDRESS):
		return settings.get_setting(ADDRESS)
	return DEFAULT


static func set_address(text: String) -> void:
	EditorInterface.get_editor_settings().set_setting(ADDRESS, text.strip_edges())


static func token() -> String:
	var given := OS.get_environment(TOKEN_VARIABLE)
	if given:
		return given
	var file := FileAccess.open(token_path(), FileAccess.READ)
	return file.get_line().strip_edges() if file else ""


## Keep a token; an empty one removes the file. Return whether that worked.
static func set_token(text: String) -> bool:
	var path := token_path()
	if text.strip_edges().is_empty():
		return not FileAccess.file_exists(path) or DirAccess.remove_absolute(path) == OK
	DirAccess.make_dir_recursive_absolute(path.get_base_dir())
	var made := FileAccess.open(path, FileAccess.WRITE)
	if made == null:
		return false
	made.close()
	if OS.get_name() != "Windows":
		FileAccess.set_unix_permissions(path, _READ_WRITE_OWNER)
	var file := FileAccess.open(path, FileAccess.WRITE)
	file.store_line(text.strip_edges())
	return true


static func token_path() -> String:
	return OS.get_config_dir().path_join("assetwright").path_join("godot-token")
