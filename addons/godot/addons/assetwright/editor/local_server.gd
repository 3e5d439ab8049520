## Starts an Assetwright server on this machine, where one is installed.
@tool
extends RefCounted

const HELP := (
	"Assetwright is not installed on this machine: `pip install assetwright[server]` does that. "
	+ "Or choose another server."
)
const STARTING := "A server is starting on this machine…"
const TRIES := 30
const PAUSE_S := 1.0


## Start one that goes on when the editor ends. Return whether the program was found.
static func start() -> bool:
	var program := find()
	return program != "" and OS.create_process(program, PackedStringArray(["serve"])) > 0


## Return where the program is; empty where it is not on the PATH.
static func find() -> String:
	var is_windows := OS.get_name() == "Windows"
	var name := "assetwright.exe" if is_windows else "assetwright"
	for folder in OS.get_environment("PATH").split(";" if is_windows else ":", false):
		var path := folder.path_join(name)
		if FileAccess.file_exists(path):
			return path
	return ""
