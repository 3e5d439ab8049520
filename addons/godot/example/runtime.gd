## A game that makes its own props: shows a picture's mesh as soon as it is there.
extends Node3D

const Job := preload("res://addons/assetwright/core/job.gd")
const Problem := preload("res://addons/assetwright/core/problem.gd")
const Runtime := preload("res://addons/assetwright/core/runtime.gd")

@export var server := "http://127.0.0.1:50052"
@export var token := ""
@export var picture: Texture2D = preload("toadstool.png")
@export var model := "pixal3d"
@export var height_m := 1.0
@export var parameters := {"decimation_target": 2000}

var made: Node3D = null

var _assets := Runtime.new()

@onready var _words: Label = $Words


func _ready() -> void:
	add_child(_assets)
	_assets.progressed.connect(_on_progressed)
	_assets.failed.connect(_on_failed)
	_assets.connect_to(server, token)
	await _assets.ready_to_use
	if _assets.session.problem:
		_on_failed(_assets.session.problem)
		return
	var bytes := picture.get_image().save_png_to_buffer()
	made = await _assets.make_mesh(model, bytes, "toadstool", height_m, parameters)
	if made:
		add_child(made)
		_words.text = "Here it is, %.2f m tall." % height_m


func _on_progressed(job: Job) -> void:
	_words.text = "%s · %d s" % [job.step, int(job.elapsed_s())]


func _on_failed(problem: Problem) -> void:
	_words.text = problem.sentence
