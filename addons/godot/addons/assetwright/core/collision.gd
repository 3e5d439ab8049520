## Collision bodies for models whose file brings none.
@tool
extends RefCounted

const ProcessingPb := preload("../proto/processing.gd")

const NONE := 0
## What names a collision shape in a GLB for Godot. The editor's importer reads it by itself.
const SUFFIX := "-convcolonly"


## Return `model`, or a StaticBody3D with `model` and shapes of the wanted kind (a
## `CollisionKind`, or `NONE`) below it. Where the model has a collision body, it is enough.
static func with_body(model: Node3D, kind: int) -> Node3D:
	if kind == NONE or has_body(model):
		return model
	var body := StaticBody3D.new()
	body.add_child(model, true)
	for shape in shapes(model, kind):
		var collision := CollisionShape3D.new()
		collision.name = "CollisionShape"
		collision.shape = shape[0]
		collision.transform = shape[1]
		body.add_child(collision, true)
	return body


## Make bodies of the meshes below `scene` that are named as collision shapes, as the editor's
## importer does; `GLTFDocument` leaves them as meshes.
static func make_from_names(scene: Node) -> void:
	for node: Node3D in scene.find_children("*" + SUFFIX + "*", "Node3D", true, false):
		var mesh := _mesh_of(node)
		if mesh == null:
			continue
		var body := StaticBody3D.new()
		body.name = node.name.trim_suffix(SUFFIX)
		body.transform = node.transform
		var collision := CollisionShape3D.new()
		collision.name = "CollisionShape"
		collision.shape = mesh.create_convex_shape(true, false)
		body.add_child(collision)
		node.replace_by(body)
		node.free()


## Whether the model brings a collision shape.
static func has_body(model: Node) -> bool:
	return not model.find_children("*", "CollisionShape3D", true, false).is_empty()


## Return what `with_body` put below `added`; the model's own inner nodes stay its own.
static func own_parts(added: Node) -> Array[Node]:
	var parts: Array[Node] = []
	if added is StaticBody3D and added.scene_file_path.is_empty():
		parts.assign(added.get_children())
	return parts


## Return pairs of a shape and its transform below the model's parent.
static func shapes(model: Node3D, kind: int) -> Array:
	var found := []
	if kind == ProcessingPb.CollisionKind.BOX:
		var bounds := bounds_of(model)
		var box := BoxShape3D.new()
		box.size = bounds.size
		found.append([box, Transform3D(Basis.IDENTITY, bounds.get_center())])
		return found
	for node: MeshInstance3D in model.find_children("*", "MeshInstance3D", true, false):
		var place := _below_parent(node, model)
		if kind == ProcessingPb.CollisionKind.CONVEX_HULL:
			found.append([node.mesh.create_convex_shape(true, false), place])
		else:
			var copy := MeshInstance3D.new()
			copy.mesh = node.mesh
			copy.create_multiple_convex_collisions()
			for child in copy.find_children("*", "CollisionShape3D", true, false):
				found.append([(child as CollisionShape3D).shape, place])
			copy.free()
	return found


## Return the box around everything that is visible, in the space of the model's parent.
static func bounds_of(model: Node3D) -> AABB:
	var bounds := AABB()
	var is_first := true
	for node: VisualInstance3D in model.find_children("*", "VisualInstance3D", true, false):
		var own := _below_parent(node, model) * node.get_aabb()
		bounds = own if is_first else bounds.merge(own)
		is_first = false
	return bounds


static func _mesh_of(node: Node) -> Mesh:
	if node is MeshInstance3D:
		return (node as MeshInstance3D).mesh
	if node is ImporterMeshInstance3D:
		var importing := (node as ImporterMeshInstance3D).mesh
		return importing.get_mesh() if importing else null
	return null


static func _below_parent(node: Node3D, model: Node3D) -> Transform3D:
	var place := node.transform
	while node != model:
		node = node.get_parent_node_3d()
		place = node.transform * place
	return place
