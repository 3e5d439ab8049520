## Adds an imported model to the open scene, as one step that can be undone.
@tool
extends RefCounted

const Collision := preload("../core/collision.gd")
const Library := preload("library.gd")

const META := "assetwright"


## Add the model at `path` below the scene's root, where the selected node stands. `kind` is the
## collision shape to make where the file brings none. Return the node, or null where no 3D scene
## is open or the file cannot be loaded.
static func add(manager: EditorUndoRedoManager, path: String, kind: int) -> Node3D:
	var root := EditorInterface.get_edited_scene_root()
	var scene := load(path) as PackedScene
	if root is not Node3D or scene == null:
		return null
	var node := scene.instantiate(PackedScene.GEN_EDIT_STATE_INSTANCE) as Node3D
	var name := path.get_file().get_basename().to_pascal_case()
	var added := Collision.with_body(node, kind)
	added.name = name
	added.set_meta(META, Library.read(Library.sidecar_of(path)))
	manager.create_action("Add %s" % name, UndoRedo.MERGE_DISABLE, root)
	manager.add_do_method(root, "add_child", added, true)
	manager.add_do_method(added, "set_owner", root)
	for child in Collision.own_parts(added):
		manager.add_do_method(child, "set_owner", root)
	manager.add_do_property(added, "global_position", _place(root))
	manager.add_do_reference(added)
	manager.add_undo_method(root, "remove_child", added)
	manager.commit_action()
	EditorInterface.get_selection().clear()
	EditorInterface.get_selection().add_node(added)
	return added


static func _place(root: Node) -> Vector3:
	for node in EditorInterface.get_selection().get_selected_nodes():
		if node is Node3D and node != root:
			return (node as Node3D).global_position
	return (root as Node3D).global_position
