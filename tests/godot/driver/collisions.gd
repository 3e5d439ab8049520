## A file that brings its collision shape, and shapes made by Godot for one that brings none.
@tool
extends "scenario.gd"

const Collision := preload("res://addons/assetwright/core/collision.gd")
const Importer := preload("res://addons/assetwright/editor/importer.gd")
const Placer := preload("res://addons/assetwright/editor/placer.gd")
const ProcessingPb := preload("res://addons/assetwright/proto/processing.gd")
const Runtime := preload("res://addons/assetwright/core/runtime.gd")

const WITH := "res://given/with.glb"
const WITHOUT := "res://given/without.glb"
const VOXEL_M := 0.1
## What tests/godot/boxes.py builds: a crate with its base at the origin.
const CRATE := Vector3(1.0, 2.0, 0.5)


func play() -> void:
	var root := Node3D.new()
	root.name = "Level"
	EditorInterface.add_root_node(root)
	check(await Importer.import_file(WITH), "a file is imported")
	check(await Importer.import_file(WITHOUT), "another one is imported")
	var kept := _added(WITH, ProcessingPb.CollisionKind.CONVEX_HULL)
	check(kept is not StaticBody3D, "no second body is made")
	_look(kept, 1)
	for kind: int in [ProcessingPb.CollisionKind.BOX, ProcessingPb.CollisionKind.CONVEX_HULL]:
		_look(_added(WITHOUT, kind), 1)
	# Godot decomposes by voxels, so its parts are not exact.
	_look(_added(WITHOUT, ProcessingPb.CollisionKind.CONVEX_DECOMPOSITION), 1, VOXEL_M)
	check(not Collision.has_body(_added(WITHOUT, Collision.NONE)), "none is made unasked")
	var loaded := Runtime.load_mesh(WITH)
	_look(loaded, 1)
	check(loaded.find_children("*-convcolonly", "", true, false).is_empty(), "no mesh is left over")
	loaded.free()


func _added(path: String, kind: int) -> Node3D:
	return Placer.add(plugin.get_undo_redo(), path, kind)


func _look(added: Node3D, count: int, within := 1e-4) -> void:
	var bodies := added.find_children("*", "StaticBody3D", true, false)
	if added is StaticBody3D:
		bodies.append(added)
	check_equal(bodies.size(), count, "bodies")
	var shapes := added.find_children("*", "CollisionShape3D", true, false)
	check_equal(shapes.size(), count, "shapes")
	for node: CollisionShape3D in shapes:
		var bounds := node.shape.get_debug_mesh().get_aabb()
		var size := bounds.size
		check((size - CRATE).abs().length() <= within, "size of the shape: %s" % size)
		var body := node.get_parent() as Node3D
		var place := node.transform * bounds
		if body != added:
			place = body.transform * place
		check_near(place.position.y, 0.0, within, "base of the shape")
