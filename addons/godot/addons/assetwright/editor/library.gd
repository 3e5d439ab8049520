## Where results lie in the project, and what is known about them.
##
## res://assetwright/NAME/NAME.glb, beside it NAME.assetwright.json: where it came from, what was
## asked and measured, what it cost.
@tool
extends RefCounted

const AssetPb := preload("../proto/asset.gd")
const Job := preload("../core/job.gd")
const JobWords := preload("../core/job_words.gd")
const MoneyPb := preload("../proto/money.gd")
const ReportPb := preload("../proto/report.gd")

const FOLDER := "res://assetwright"
const _SIDECAR := ".assetwright.json"
const _NAME_CHARS := 40
## Texture handling of Godot's glTF importer: keep what is embedded inside the scene.
const _EMBEDDED_UNCOMPRESSED := 3
const _STUB := """[remap]

importer="scene"
importer_version=1
type="PackedScene"

[deps]

source_file="%s"

[params]

nodes/root_type="Node3D"
meshes/generate_lods=true
meshes/create_shadow_meshes=true
gltf/naming_version=2
gltf/embedded_image_handling=%d
"""


## Return a name fit for files and nodes.
static func slug(text: String) -> String:
	var kept := ""
	for letter in text.to_lower().strip_edges():
		var plain := (letter >= "a" and letter <= "z") or (letter >= "0" and letter <= "9")
		kept += letter if plain else "-"
	while "--" in kept:
		kept = kept.replace("--", "-")
	kept = kept.trim_prefix("-").substr(0, _NAME_CHARS).trim_suffix("-")
	return kept if kept else "asset"


## Return the path for an asset of a job; a folder that another job took is left alone.
static func path_for(job: Job, asset: AssetPb.Asset) -> String:
	var base := slug(job.name)
	var stem := base
	var number := 2
	while _taken_by_other(stem, job.job_id):
		stem = "%s-%d" % [base, number]
		number += 1
	var folder := FOLDER.path_join(stem)
	DirAccess.make_dir_recursive_absolute(folder)
	var claim := folder.path_join(stem + _SIDECAR)
	if not FileAccess.file_exists(claim):
		_store(claim, {"job_id": job.job_id})
	if asset.role == AssetPb.AssetRole.MODEL:
		return folder.path_join(stem + ".glb")
	return folder.path_join(asset.name.get_file().validate_filename())


## Say how Godot shall import a GLB, before it sees the file for the first time.
static func write_import_settings(path: String) -> void:
	var stub := path + ".import"
	if FileAccess.file_exists(stub):
		return
	var file := FileAccess.open(stub, FileAccess.WRITE)
	file.store_string(_STUB % [path, _EMBEDDED_UNCOMPRESSED])


## Keep what is known about a job beside its files.
static func write_sidecar(job: Job) -> void:
	if job.files.is_empty():
		return
	var path := sidecar_of(job.files[0])
	var known := read(path)
	var facts := {
		"job_id": job.job_id,
		"model": job.model_id,
		"prompt": job.prompt if job.prompt else known.get("prompt", ""),
		"sandbox": job.is_sandbox,
		"cost": JobWords.receipt(job.receipt),
		"warnings": Array(job.warnings),
		"files": Array(job.files),
		"checks": checks(job.report),
		"licence": licence_note(job.is_sandbox),
	}
	_store(path, facts)


## Return the report's lines: name, passed, asked, measured, unit.
static func checks(report: ReportPb.Report) -> Array:
	var lines := []
	if report == null:
		return lines
	for check in report.checks:
		var line := {
			"name": check.name,
			"outcome": ReportPb.CheckOutcome.find_key(check.outcome),
			"unit": check.unit,
			"detail": check.detail,
		}
		if check.has_asked:
			line["asked"] = check.asked
		if check.has_measured:
			line["measured"] = check.measured
		lines.append(line)
	return lines


## Return what to know before shipping a result.
static func licence_note(is_sandbox: bool) -> String:
	if is_sandbox:
		return "Made by the built-in sandbox, not by a model: for trying things out."
	return "The provider's terms for this model say what you may do with it."


## Return the sidecar of a file.
static func sidecar_of(path: String) -> String:
	var folder := path.get_base_dir()
	return folder.path_join(folder.get_file() + _SIDECAR)


## Return what a sidecar holds; nothing where there is none.
static func read(path: String) -> Dictionary:
	if not FileAccess.file_exists(path):
		return {}
	var held: Variant = JSON.parse_string(FileAccess.get_file_as_string(path))
	return held if held is Dictionary else {}


## Return the files of a job that are in the project already.
static func files_of(job_id: String) -> PackedStringArray:
	var found := PackedStringArray()
	for stem in (
		DirAccess.get_directories_at(FOLDER) if DirAccess.dir_exists_absolute(FOLDER) else []
	):
		var known := read(FOLDER.path_join(stem).path_join(stem + _SIDECAR))
		if known.get("job_id", "") == job_id:
			for path: String in known.get("files", []):
				if FileAccess.file_exists(path):
					found.append(path)
	return found


static func _taken_by_other(stem: String, job_id: String) -> bool:
	var folder := FOLDER.path_join(stem)
	if not DirAccess.dir_exists_absolute(folder):
		return false
	return read(folder.path_join(stem + _SIDECAR)).get("job_id", "") != job_id


static func _store(path: String, facts: Dictionary) -> void:
	var file := FileAccess.open(path, FileAccess.WRITE)
	if file:
		file.store_string(JSON.stringify(facts, "\t") + "\n")
