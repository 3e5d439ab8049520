## Protobuf's binary form: what the generated messages beside this file are read and written with.
##
## Proto3 with presence, oneof, maps, open enums and packed numbers. Unknown fields are skipped.
## A field with another wire type than declared counts as unknown, as in Google's runtimes.
## Malformed input is refused as a whole: bad UTF-8, lengths beyond the end, more than
## `MAX_DEPTH` levels, more than `MAX_BYTES` bytes. An int of GDScript has 64 bits and a sign, so
## a uint64 above 2^63 - 1 appears negative; its bits are kept. GDScript's strings end at a NUL,
## so a NUL inside a string is read as U+FFFD.
@tool
extends RefCounted

const MAX_DEPTH := 100
const MAX_BYTES := 64 * 1024 * 1024
const _HIGH_BITS := -0x7F7F7F7F7F7F7F80  # 0x80 in each of eight bytes.
const _VARINT := 0
const _FIXED64 := 1
const _LENGTH := 2
const _GROUP := 3
const _END_GROUP := 4
const _FIXED32 := 5


## What every generated message can do.
class Message:
	extends RefCounted

	## Whether fields were read that this version does not know.
	var has_unknown := false

	## Return this message in binary form.
	func to_bytes() -> PackedByteArray:
		var writer := Writer.new()
		_write(writer)
		return writer.bytes

	## Read `bytes` into this message, which should be new. Return false when they are
	## malformed; the message is to be thrown away then.
	func from_bytes(bytes: PackedByteArray) -> bool:
		if bytes.size() > MAX_BYTES:
			return false
		var reader := Reader.new(bytes)
		_merge(reader)
		return not reader.failed

	func _merge(reader: Reader) -> void:
		while reader.pos < reader.end and not reader.failed:
			var tag := reader.tag()
			if not reader.failed and not _read(reader, tag):
				has_unknown = true
				reader.skip(tag, reader.depth)

	func _read(_reader: Reader, _tag: int) -> bool:
		return false

	func _write(_writer: Writer) -> void:
		pass


## Reads values from bytes. After a failure everything reads as nothing.
class Reader:
	extends RefCounted

	var bytes: PackedByteArray
	var pos := 0
	var end := 0
	var depth := 0
	var failed := false

	func _init(from: PackedByteArray) -> void:
		bytes = from
		end = from.size()

	## Read a varint as 64 bits.
	func varint() -> int:
		var value := 0
		var shift := 0
		while pos < end:
			var byte := bytes[pos]
			pos += 1
			if shift > 63:
				break
			value |= (byte & 0x7F) << shift
			if byte < 0x80:
				return value
			shift += 7
		return _fail()

	## Read a field's number and wire type.
	func tag() -> int:
		var start := pos
		var value := varint()
		if failed or pos - start > 5 or value >> 3 == 0 or value > 0xFFFFFFFF:
			return _fail()
		return value

	func int32() -> int:
		var value := varint() & 0xFFFFFFFF
		return value - 0x100000000 if value > 0x7FFFFFFF else value

	func uint32() -> int:
		return varint() & 0xFFFFFFFF

	func boolean() -> bool:
		return varint() != 0

	func double() -> float:
		if end - pos < 8:
			return _fail()
		pos += 8
		return bytes.decode_double(pos - 8)

	func blob() -> PackedByteArray:
		var size := _size()
		if failed:
			return PackedByteArray()
		pos += size
		return bytes.slice(pos - size, pos)

	func text() -> String:
		var size := _size()
		if failed:
			return ""
		var start := pos
		pos += size
		var plain := true
		var at := start
		while plain and at + 8 <= pos:
			plain = bytes.decode_u64(at) & _HIGH_BITS == 0
			at += 8
		while plain and at < pos:
			plain = bytes[at] < 0x80
			at += 1
		if not plain and not _is_utf8(start):
			_fail()
			return ""
		var raw := bytes.slice(start, pos)
		if not raw.has(0):
			return raw.get_string_from_utf8()
		var pieces := PackedStringArray()
		var from := 0
		while from <= raw.size():
			var zero := raw.find(0, from)
			if zero < 0:
				zero = raw.size()
			pieces.append(raw.slice(from, zero).get_string_from_utf8())
			from = zero + 1
		return "\uFFFD".join(pieces)

	## Read a message of its own into `message`.
	func into(message: Message) -> void:
		var size := _size()
		if failed:
			return
		if depth + 1 >= MAX_DEPTH:
			_fail()
			return
		var outer := end
		end = pos + size
		depth += 1
		message._merge(self)
		depth -= 1
		end = outer

	## Read packed varints of one `kind`: "int32", "uint32", "varint" or "boolean".
	func packed(kind: StringName, values: Array) -> void:
		var size := _size()
		var outer := end
		end = pos + size
		while pos < end and not failed:
			values.append(call(kind))
		end = outer

	## Pass over the value of an unknown field.
	func skip(of: int, level: int) -> void:
		match of & 7:
			_VARINT:
				varint()
			_FIXED64:
				_pass_over(8)
			_LENGTH:
				_pass_over(_size())
			_FIXED32:
				_pass_over(4)
			_GROUP:
				_skip_group(of, level)
			_:
				_fail()

	func _skip_group(of: int, level: int) -> void:
		if level + 1 >= MAX_DEPTH:
			_fail()
			return
		while not failed:
			var inner := tag()
			if failed:
				return
			if inner & 7 == _END_GROUP:
				if inner >> 3 != of >> 3:
					_fail()
				return
			skip(inner, level + 1)

	func _pass_over(size: int) -> void:
		if size > end - pos:
			_fail()
		else:
			pos += size

	func _size() -> int:
		var size := varint()
		if failed or size < 0 or size > end - pos:
			return _fail()
		return size

	func _fail() -> int:
		failed = true
		pos = end
		return 0

	func _is_utf8(start: int) -> bool:
		var at := start
		while at < pos:
			var lead := bytes[at]
			at += 1
			if lead < 0x80:
				continue
			var more := _continuations(lead)
			if more == 0 or at + more > pos:
				return false
			var second := bytes[at]
			if not _fits(lead, second):
				return false
			for index in range(1, more):
				if bytes[at + index] & 0xC0 != 0x80:
					return false
			at += more
		return true

	func _continuations(lead: int) -> int:
		if lead >= 0xC2 and lead <= 0xDF:
			return 1
		if lead >= 0xE0 and lead <= 0xEF:
			return 2
		return 3 if lead >= 0xF0 and lead <= 0xF4 else 0

	# Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
	func _fits(lead: int, second: int) -> bool:
		var low := 0x80
		var high := 0xBF
		match lead:
			0xE0:
				low = 0xA0
			0xED:
				high = 0x9F
			0xF0:
				low = 0x90
			0xF4:
				high = 0x8F
		return second >= low and second <= high


## Writes fields. The caller decides which fields are there.
class Writer:
	extends RefCounted

	var bytes := PackedByteArray()

	func varint(value: int) -> void:
		while value < 0 or value > 0x7F:
			bytes.append((value & 0x7F) | 0x80)
			value = (value >> 7) & 0x1FFFFFFFFFFFFFF
		bytes.append(value)

	func number(field: int, value: int) -> void:
		varint(field << 3)
		varint(value)

	func boolean(field: int, value: bool) -> void:
		varint(field << 3)
		bytes.append(1 if value else 0)

	func double(field: int, value: float) -> void:
		varint(field << 3 | _FIXED64)
		var at := bytes.size()
		bytes.resize(at + 8)
		bytes.encode_double(at, value)

	func text(field: int, value: String) -> void:
		blob(field, value.to_utf8_buffer())

	func blob(field: int, value: PackedByteArray) -> void:
		varint(field << 3 | _LENGTH)
		varint(value.size())
		bytes.append_array(value)

	func message(field: int, value: Message) -> void:
		blob(field, value.to_bytes())

	func packed(field: int, values: Array) -> void:
		var inner := Writer.new()
		for value: int in values:
			inner.varint(value)
		blob(field, inner.bytes)

	## Whether a double without presence is to be written: -0.0 differs from nothing.
	static func is_set(value: float) -> bool:
		return value != 0.0 or atan2(value, -1.0) < 0.0
