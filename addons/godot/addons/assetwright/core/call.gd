## A call of the server's, to be awaited: `await call.done`, then look at `problem` and `reply`.
@tool
extends RefCounted

## The call is over.
signal done
## A message of a streaming call has come.
signal streamed(message: RefCounted)

const GrpcCall := preload("../net/grpc_call.gd")
const Pb := preload("../proto/pb.gd")
const Problem := preload("problem.gd")

## What a unary call answered; null before, and where it failed.
var reply: RefCounted = null
## Why it failed; null where it did not.
var problem: Problem = null
## It is over.
var over := false
## The exchange under it.
var wire := GrpcCall.new()

var _make: Callable


## `make` returns a new message of the answer's type.
func _init(make: Callable) -> void:
	_make = make
	wire.message_received.connect(_on_message)
	wire.finished.connect(_on_finished)


## End it without an answer. `done` is not emitted.
func cancel() -> void:
	over = true
	wire.cancel()


func _on_message(bytes: PackedByteArray) -> void:
	var message: Pb.Message = _make.call()
	if not message.from_bytes(bytes):
		wire.cancel()
		wire.code = GrpcCall.INTERNAL
		wire.message = "The server's answer could not be read."
		_on_finished()
		return
	reply = message
	streamed.emit(message)


func _on_finished() -> void:
	if over:
		return
	over = true
	problem = Problem.from_call(wire)
	done.emit()
