## Jobs that are cancelled, outlive their server, and outlive the plugin.
@tool
extends "scenario.gd"

const OURS := "assetwright"


func play() -> void:
	if not await connected():
		return
	await _cancel()
	await _lose_the_server()
	await _switch_the_plugin_off()


func _cancel() -> void:
	var job := start("Cancelled")
	await until(func() -> bool: return "provider" in job.step, "the gateway works")
	press(job, "Cancel")
	await until(func() -> bool: return not job.is_running(), "the job has ended")
	check_equal(job.phase, Job.Phase.CANCELLED, "phase")
	check(job.receipt != null, "the receipt says whether it was charged")
	check(not DirAccess.dir_exists_absolute("res://assetwright/cancelled"), "nothing was written")


func _lose_the_server() -> void:
	var job := start("Interrupted")
	await until(func() -> bool: return "provider" in job.step, "the gateway works")
	var sequence := job.sequence
	await ask("kill")
	await until(func() -> bool: return job.problem != null, "the loss is noticed")
	check_equal(job.problem.reason, "CONNECTION_LOST", "what is told")
	check(job.is_running(), "the job is not given up")
	await ask("start")
	await ready(job)
	check(job.sequence > sequence, "the log went on")
	check_equal(job.files.size(), 1, "files")


func _switch_the_plugin_off() -> void:
	var job := start("Resumed")
	await until(func() -> bool: return "provider" in job.step, "the gateway works")
	var job_id := job.job_id
	EditorInterface.set_plugin_enabled(OURS, false)
	await tree.process_frame
	EditorInterface.set_plugin_enabled(OURS, true)
	await tree.process_frame
	plugin = find_plugin(tree)
	await until(func() -> bool: return job_with(job_id) != null, "the history has the job")
	var again := job_with(job_id)
	if again == null:
		return
	check_equal(again.name, "Resumed", "its name is known again")
	await until(func() -> bool: return not again.is_running(), "the job has ended")
	if again.files.is_empty():
		press(again, "Fetch")
	await ready(again)
	check_equal(Array(again.files), ["res://assetwright/resumed/resumed.glb"], "files")
	check_equal(plugin.session.jobs.size(), 3, "the history shows each job once")


func start(called: String) -> Job:
	plugin.dock.form.choose_model("pixal3d")
	set_parameter("decimation_target", 1000)
	return press_generate("pixal3d", called, OS.get_environment("PICTURE"))


func job_with(job_id: String) -> Job:
	for job: Job in plugin.session.jobs:
		if job.job_id == job_id:
			return job
	return null
