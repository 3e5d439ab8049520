## What is left out of a request when a server does not know it yet.
@tool
extends RefCounted

const GenerationServicePb := preload("../proto/generation_service.gd")
const Problem := preload("problem.gd")
const ProcessingPb := preload("../proto/processing.gd")

const _PROFILE := "processing.engine_profile"
const _COLLISION := "processing.collision"
const _WORDS := {
	_PROFILE: "This server does not adapt files to Godot yet, so the file comes as it is.",
	_COLLISION: "This server makes no collision shapes yet; Godot makes them in the scene.",
}


## Take out of `request` what the refusal `why` names, where the result is as usable without.
## Return a sentence for each; nothing where something else is wrong too.
static func relent(request: RefCounted, why: Problem) -> PackedStringArray:
	var said := PackedStringArray()
	var options: ProcessingPb.ProcessingOptions = request.processing
	if why.reason != "INVALID_REQUEST" or options == null:
		return said
	for violation in why.violations:
		var field := violation.get_slice(":", 0)
		if not _WORDS.has(field):
			return PackedStringArray()
		said.append(_WORDS[field])
	for violation in why.violations:
		if violation.get_slice(":", 0) == _PROFILE:
			options.engine_profile = ProcessingPb.EngineProfile.GENERIC
		else:
			options.collision = null
	return said
