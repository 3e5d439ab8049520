"""A GLB that can be read, changed in places, and written with everything else as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeAlias

from asset_processing._arrays import ARRAY_BUFFER, pack
from asset_processing._binary import Binary, Span, subtracted
from asset_processing._fields import Fields, JsonObject
from asset_processing._layout_out import Layout, relocated, spans_in_chunk
from asset_processing._references import movable, references
from asset_processing._removal import Entry, removable, without
from asset_processing.container import (
    Container,
    encode_chunk,
    encode_header,
    encode_json,
    split,
)
from asset_processing.errors import GlbTooLarge, InvalidGlb
from asset_processing.images import ImageHeader, read_header
from asset_processing.layout import (
    COMPRESSED_VIEW,
    Accessor,
    BufferView,
    decode_data_uri,
    read_accessors,
    read_buffers,
    read_views,
)
from asset_processing.limits import DEFAULT, Limits
from asset_processing.structure import check_structure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Bytes", "GlbDocument", "Image"]

Bytes: TypeAlias = bytes | bytearray | memoryview
_NO_ACCESSOR = Accessor(view=None, offset=0, component_type=5121, type="SCALAR", count=1)


@dataclass(frozen=True, slots=True)
class Image:
    """An image of the file.

    Attributes:
        header: What its first bytes say.
        data: Its encoded bytes, untouched.
        declared: The media type the file claims; None where it claims none.
    """

    header: ImageHeader
    data: memoryview
    declared: str | None


class GlbDocument:
    """The JSON of a GLB and views over its binary chunk.

    Reading copies nothing. What was not changed is written as it came in, byte for byte, and a
    document that was not changed at all is written as the input itself. While a document lives its
    indices never move: new entries are appended, and what `drop` lets go leaves when it is written.

    Attributes:
        json: The glTF document, for reading; `edit_json` is for changing. It holds what the strict
            parser let through, with unknown members and extensions as they are.
        buffers: Bytes of each buffer as they came in; None for one that only compressed views
            stand for. `view_bytes` gives them as they are now.
        views: The buffer views.
        accessors: The accessors. Their ``min`` and ``max`` are read from ``json``.
        images: The images.
        limits: What the file may ask for.
    """

    __slots__ = (
        "_binary",
        "_candidates",
        "_container",
        "_freed",
        "_json_changed",
        "_own",
        "_source",
        "accessors",
        "buffers",
        "images",
        "json",
        "limits",
        "views",
    )

    json: JsonObject
    buffers: list[memoryview | None]
    views: list[BufferView]
    accessors: list[Accessor]
    images: list[Image]
    limits: Limits

    def __init__(self, source: memoryview, container: Container, *, limits: Limits) -> None:
        """Use `parse`."""
        self._source = source
        self._container = container
        self._json_changed = False
        self._own: dict[int, memoryview] = {}  # Views whose bytes are not the source's.
        self._freed: list[Span] = []  # What such views were in the binary chunk.
        self._candidates: dict[Entry, None] = {}
        self.json = container.json
        self.limits = limits
        root = self.root
        binary = container.tail[container.bin_start :][: container.bin_length]
        self.buffers = list(read_buffers(root, binary, limits=limits))
        self.views = list(read_views(root, self.buffers))
        self.accessors = list(read_accessors(root, self.views, limits=limits))
        check_structure(root, self.accessors, limits=limits)
        self._binary: Binary | None = None
        self.images = list(_read_images(root, self, limits=limits))

    @classmethod
    def parse(cls, data: bytes | memoryview, limits: Limits = DEFAULT) -> Self:
        """Read a GLB strictly.

        Args:
            data: The whole file. It must not change while the document lives.
            limits: What the file may ask for.

        Raises:
            InvalidGlb: The file breaks glTF 2.0, or refers to anything outside of itself.
            GlbTooLarge: The file is over a limit.
        """
        source = memoryview(data).cast("B").toreadonly()
        return cls(source, split(source, limits=limits), limits=limits)

    @property
    def root(self) -> Fields:
        """The glTF document for checked reading."""
        return Fields(self.json, "")

    @property
    def changed(self) -> bool:
        """Whether anything was edited, apart from what `drop` may let go."""
        return self._json_changed or (self._binary is not None and self._binary.changed)

    def edit_json(self) -> JsonObject:
        """Return the glTF document for changing; it will be written anew.

        The entries of ``bufferViews``, ``accessors`` and ``images`` are changed by the methods
        for them; their names, extras and ranges may be changed here.
        """
        self._json_changed = True
        return self.json

    def embeds(self, buffer: int) -> bool:
        """Tell whether a buffer is the GLB's binary chunk (glTF 2.0, 3.6.1.1)."""
        return (
            buffer == 0
            and bool(self.buffers)
            and self.buffers[0] is not None
            and "uri" not in self.json["buffers"][0]
        )

    # ---- buffer views

    def view_bytes(self, index: int) -> memoryview:
        """Return the bytes of an uncompressed buffer view as they are now."""
        if index in self._own:
            return self._own[index].toreadonly()
        view = self.views[index]
        buffer = self.buffers[view.buffer]
        if buffer is None or view.compressed:
            pointer = f"/bufferViews/{index}"
            raise InvalidGlb(f"{pointer} holds compressed vertices.", pointer=pointer)
        if self._binary is not None and view.buffer == 0:
            return self._binary.read(view.start, view.length)
        return buffer[view.start : view.start + view.length]

    def owns(self, index: int) -> bool:
        """Tell whether a view has bytes of its own, which only its accessors read."""
        return index in self._own

    def shares_chunk(self, index: int) -> bool:
        """Tell whether a view is a range of the binary chunk that other views may overlap."""
        return index not in self._own and self.embeds(self.views[index].buffer)

    def edit_view(self, index: int) -> memoryview:
        """Return the bytes of a buffer view for changing in place, copied once.

        Other views of the binary chunk that overlap it see the change.
        """
        view = self.views[index]
        if index not in self._own and self.embeds(view.buffer):
            if self._binary is None:
                self._binary = Binary(self.buffers[0] or memoryview(b""), self._chunk_spans())
            return self._binary.edit(view.start, view.length)
        if index not in self._own:
            self.replace_view(index, bytes(self.view_bytes(index)), stride=view.stride)
        if self._own[index].readonly:
            self._own[index] = memoryview(bytearray(self._own[index]))
        return self._own[index]

    def add_view(self, data: Bytes, *, target: int | None = None, stride: int | None = None) -> int:
        """Append a buffer view with bytes of its own and return its index.

        Args:
            data: At least one byte. They must not change while the document lives.
            target: 34962 for vertices, 34963 for indices (glTF 2.0, 3.6.1.1).
            stride: Bytes from one vertex to the next where they are interleaved or padded.
        """
        self._need_chunk()
        entry: JsonObject = {"buffer": 0, "byteLength": 0}
        if target is not None:
            entry["target"] = target
        index = self.add("bufferViews", entry)
        self.views.append(BufferView(buffer=0, start=0, length=0, stride=None, compressed=False))
        self._put(index, data, stride=stride)
        return index

    def replace_view(self, index: int, data: Bytes, *, stride: int | None = None) -> None:
        """Give a buffer view bytes of its own, of any length; its old ones leave the file.

        Bytes that another view reads as well stay for that one. Compression of the view ends.
        """
        self._need_chunk()
        self.edit_json()
        entry, view = self.json["bufferViews"][index], self.views[index]
        if index not in self._own:
            self._freed += self._spans_of(index)
        extensions = entry.get("extensions", {})
        for name in COMPRESSED_VIEW:
            extensions.pop(name, None)
        if not extensions:
            entry.pop("extensions", None)
        if view.buffer != 0:
            self.drop("buffers", view.buffer)
        entry.pop("byteOffset", None)
        entry["buffer"] = 0
        self._put(index, data, stride=stride)

    def _put(self, index: int, data: Bytes, *, stride: int | None) -> None:
        content = memoryview(data).cast("B")
        self._own[index] = content
        entry = self.json["bufferViews"][index]
        entry["byteLength"] = len(content)
        entry.pop("byteStride", None)
        if stride is not None:
            entry["byteStride"] = stride
        self.views[index] = BufferView(
            buffer=0, start=0, length=len(content), stride=stride, compressed=False
        )

    def _need_chunk(self) -> None:
        """Make buffer 0 the binary chunk, which it need not be; the others move up by one."""
        if self.embeds(0):
            return
        json = self.edit_json()
        for reference in references(json):
            if reference.array == "buffers":
                reference.holder[reference.key] += 1
        json.setdefault("buffers", []).insert(0, {"byteLength": 0})
        self.buffers.insert(0, memoryview(b""))
        self.views = [replace(view, buffer=view.buffer + 1) for view in self.views]
        self._candidates = {
            (array, index + (array == "buffers")): None for array, index in self._candidates
        }

    # ---- accessors

    def add_accessor(
        self,
        values: NDArray[np.generic],
        *,
        target: int | None = None,
        normalized: bool = False,
        with_range: bool = False,
    ) -> int:
        """Append an accessor with a view of its own and return its index.

        Args:
            values: Shape (count,) for scalars, else (count, 2), (count, 3), (count, 4), or
                (count, 16) for matrices by columns. int8, uint8, int16, uint16, uint32 or float32.
            target: 34962 for vertices, whose elements are then padded to four bytes; 34963 for
                indices; None for anything else.
            normalized: Integers stand for fractions of their range.
            with_range: Declare ``min`` and ``max``, as POSITION and animation inputs must.
        """
        index = self.add("accessors", {})
        self.accessors.append(_NO_ACCESSOR)
        self._declare(index, values, target=target, normalized=normalized, with_range=with_range)
        return index

    def replace_accessor(
        self,
        index: int,
        values: NDArray[np.generic],
        *,
        target: int | None = None,
        normalized: bool = False,
        with_range: bool = False,
    ) -> None:
        """Give an accessor other values for all who use it, of any type and count.

        Its old view leaves the file where nothing else reads it. Arguments as `add_accessor`.
        """
        old = self.json["accessors"][index]
        parts = old.pop("sparse", {})
        for part in (old, parts.get("indices", {}), parts.get("values", {})):
            if "bufferView" in part:
                self.drop("bufferViews", part["bufferView"])
        for name in ("byteOffset", "normalized", "min", "max"):
            old.pop(name, None)
        self._declare(index, values, target=target, normalized=normalized, with_range=with_range)

    def _declare(
        self,
        index: int,
        values: NDArray[np.generic],
        *,
        target: int | None,
        normalized: bool,
        with_range: bool,
    ) -> None:
        packed = pack(values, aligned=target == ARRAY_BUFFER)
        entry = self.edit_json()["accessors"][index]
        entry["bufferView"] = self.add_view(packed.data, target=target, stride=packed.stride)
        entry.update(componentType=packed.component_type, count=packed.count, type=packed.type)
        if normalized:
            entry["normalized"] = True
        if with_range:
            rows = values.reshape(packed.count, -1)
            entry.update(min=rows.min(axis=0).tolist(), max=rows.max(axis=0).tolist())
        self.accessors[index] = Accessor(
            view=entry["bufferView"],
            offset=0,
            component_type=packed.component_type,
            type=packed.type,
            count=packed.count,
            normalized=normalized,
        )

    def replace_primitive(
        self,
        primitive: JsonObject,
        *,
        attributes: Mapping[str, int],
        indices: int | None,
        targets: Sequence[Mapping[str, int]] | None = None,
    ) -> None:
        """Give a primitive other accessors; those it had leave the file where nothing uses them.

        Args:
            primitive: Its JSON, as in ``json["meshes"][i]["primitives"][j]``.
            attributes: All its attributes by name.
            indices: Its indices; None draws the vertices in order.
            targets: Its morph targets; None keeps what it has.
        """
        self.edit_json()
        replaced = [*primitive.get("attributes", {}).values()]
        if "indices" in primitive:
            replaced.append(primitive.pop("indices"))
        if targets is not None:
            for target in primitive.pop("targets", []):
                replaced += target.values()
            if targets:
                primitive["targets"] = [dict(target) for target in targets]
        primitive["attributes"] = dict(attributes)
        if indices is not None:
            primitive["indices"] = indices
        for accessor in replaced:
            self.drop("accessors", accessor)

    # ---- images

    def add_image(self, data: Bytes, *, media_type: str, name: str | None = None) -> int:
        """Append an image with a view of its own and return its index."""
        entry: JsonObject = {"mimeType": media_type, "bufferView": self.add_view(data)}
        if name is not None:
            entry["name"] = name
        content = memoryview(data).cast("B")
        self.images.append(Image(read_header(content), content, media_type))
        return self.add("images", entry)

    def replace_image(self, index: int, data: Bytes, *, media_type: str) -> None:
        """Give an image other bytes for all textures that show it."""
        entry = self.edit_json()["images"][index]
        entry.pop("uri", None)
        if "bufferView" in entry:
            self.drop("bufferViews", entry["bufferView"])
        entry.update(mimeType=media_type, bufferView=self.add_view(data))
        content = memoryview(data).cast("B")
        self.images[index] = Image(read_header(content), content, media_type)

    # ---- any entry

    def add(self, array: str, entry: JsonObject) -> int:
        """Append an entry to ``nodes``, ``meshes``, ``materials``... and return its index."""
        found = self.edit_json().setdefault(array, [])
        found.append(entry)
        return len(found) - 1

    def drop(self, array: str, index: int) -> None:
        """Let an entry leave the file when it is written, if nothing refers to it then.

        What only it referred to leaves with it. Nothing leaves a file with an extension whose
        indices are not known, since one of them could mean the entry.
        """
        self._candidates[array, index] = None

    def drop_uncovered(self) -> None:
        """Let bytes of the binary chunk leave that no buffer view covers."""
        if self.embeds(0):
            covered = self._chunk_spans()
            whole = (0, len(self.buffers[0] or b""))
            gaps = subtracted([whole], [(start, end + -end % 4) for start, end in covered])
            self._freed += gaps

    def use_extension(self, name: str, *, required: bool = False) -> None:
        """Declare an extension."""
        for key in ("extensionsUsed", *(["extensionsRequired"] if required else [])):
            names = self.edit_json().setdefault(key, [])
            if name not in names:
                names.append(name)

    def disuse_extension(self, name: str) -> None:
        """Declare an extension no more."""
        for key in ("extensionsUsed", "extensionsRequired"):
            if name in self.json.get(key, []):
                self.edit_json()[key].remove(name)
                if not self.json[key]:
                    del self.json[key]

    # ---- writing

    def write(self) -> list[bytes | memoryview]:
        """Return the file in pieces, in order, for one gathering write."""
        gone: set[Entry] = set()
        body: bytes | memoryview
        if self._candidates and movable(self.json):
            gone = removable(self.json, self._candidates)
        if gone or self._own or self._freed:
            json, chunk = self._laid_out(gone)
            body, rest = encode_json(json), self._container.tail[self._end_of_chunk() :]
        elif self.changed:
            body = encode_json(self.json) if self._json_changed else self._source_json()
            chunk, rest = self._patched(), memoryview(b"")
        else:
            return [self._source]
        length = sum(map(len, (body, *chunk, rest)))
        return [encode_header(length), body, *chunk, rest]

    def to_bytes(self) -> bytes:
        """Return the file. The same document and the same edits always give the same bytes."""
        return b"".join(self.write())

    def _source_json(self) -> memoryview:
        header = 12  # What `encode_header` gives.
        return self._source[header : len(self._source) - len(self._container.tail)]

    def _end_of_chunk(self) -> int:
        return self._container.bin_start + self._container.bin_length

    def _patched(self) -> list[bytes | memoryview]:
        """Everything behind the JSON where no byte has moved."""
        tail = self._container.tail
        if self._binary is None:
            return [tail]
        end = len(self.buffers[0] or b"")
        pieces, _ = self._binary.pieces([(0, end)])
        return [tail[: self._container.bin_start], *pieces, tail[self._container.bin_start + end :]]

    def _laid_out(self, gone: set[Entry]) -> tuple[JsonObject, list[bytes | memoryview]]:
        """Return the JSON to write and its binary chunk, where bytes come, go and move."""
        live = [index for index in range(len(self.views)) if ("bufferViews", index) not in gone]
        dead = (index for array, index in gone if array == "bufferViews")
        freed = subtracted(  # With the padding behind each.
            [
                (start, end + -end % 4)
                for start, end in (
                    *self._freed,
                    *(span for index in dead for span in self._spans_of(index)),
                )
            ],
            [span for index in live for span in self._spans_of(index)],
        )
        content = self.buffers[0] if self.embeds(0) else None
        kept = subtracted([(0, len(content))] if content else [], freed)
        chunk = self._binary or Binary(content or memoryview(b""), [])
        pieces, places = chunk.pieces(kept)
        layout = Layout(kept, places, length=sum(map(len, pieces)))
        own = {}
        for index in live:
            if index in self._own:
                pieces += [layout.pad(), self._own[index]]
                own[index] = layout.append(len(self._own[index]))
        json = relocated(self.json, layout, own=own, chunk=self.embeds(0))
        if self.embeds(0) and not layout.length:
            gone = gone | {("buffers", 0)}
        return (without(json, gone) if gone else json), encode_chunk(pieces)

    def _chunk_spans(self) -> list[Span]:
        return [span for index in range(len(self.views)) for span in self._spans_of(index)]

    def _spans_of(self, index: int) -> list[Span]:
        """What a view reads in the binary chunk: its bytes, its compressed bytes, or neither."""
        if index in self._own or not self.embeds(0):
            return []
        return spans_in_chunk(self.json["bufferViews"][index])


def _read_images(root: Fields, document: GlbDocument, *, limits: Limits) -> tuple[Image, ...]:
    """Return the images, each and all together within the limits on pixels."""
    found = []
    pixels, encoded, budget = 0, 0, limits.max_data_uri_bytes
    for fields in root.children("images"):
        declared = fields.string("mimeType")
        if "uri" in fields.values:
            declared, content = decode_data_uri(fields, budget=budget)
            data, budget = memoryview(content), budget - len(content)
        else:
            data = document.view_bytes(
                fields.required_index("bufferView", below=len(document.views))
            )
        header = read_header(data)
        pixels += header.pixels
        encoded += len(data)
        if encoded > limits.max_total_image_bytes:
            raise GlbTooLarge(
                f"The images up to {fields.pointer} have {encoded} bytes; "
                f"{limits.max_total_image_bytes} are allowed.",
                pointer=fields.pointer,
                limit="max_total_image_bytes",
            )
        if header.pixels > limits.max_image_pixels or pixels > limits.max_total_pixels:
            raise GlbTooLarge(
                f"{fields.pointer} has {header.width} x {header.height} pixels; with the images "
                "before it that is more than is allowed.",
                pointer=fields.pointer,
                limit="max_image_pixels",
            )
        found.append(Image(header, data, declared))
    return tuple(found)
