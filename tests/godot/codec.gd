## Reads messages and writes them again.
##
##     godot --headless --script codec.gd -- CASES OUT
##
## CASES holds records: a module's and a message's name, then bytes. OUT gets one record for each:
## 1 and the bytes written again, or 0 where they were refused.
extends SceneTree

const PROTO := "res://addons/assetwright/proto/%s.gd"


func _init() -> void:
	var arguments := OS.get_cmdline_user_args()
	var cases := FileAccess.open(arguments[0], FileAccess.READ)
	var out := FileAccess.open(arguments[1], FileAccess.WRITE)
	var classes := {}
	while cases.get_position() < cases.get_length():
		var name := cases.get_pascal_string()
		var bytes := cases.get_buffer(cases.get_32())
		if not classes.has(name):
			var module: GDScript = load(PROTO % name.get_slice("/", 0))
			classes[name] = module.get_script_constant_map()[name.get_slice("/", 1)]
		var message: RefCounted = (classes[name] as GDScript).new()
		var accepted: bool = message.from_bytes(bytes)
		out.store_8(1 if accepted else 0)
		if accepted:
			var written: PackedByteArray = message.to_bytes()
			out.store_32(written.size())
			out.store_buffer(written)
	out.close()
	print("codec done")
	quit(0)
