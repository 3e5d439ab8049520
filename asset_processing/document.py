"""A GLB that can be read, changed in places, and written with everything else as it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from asset_processing._fields import Fields, JsonObject
from asset_processing.container import Container, encode_header, encode_json, split
from asset_processing.errors import GlbTooLarge, InvalidGlb
from asset_processing.images import ImageHeader, read_header
from asset_processing.layout import (
    Accessor,
    BufferView,
    decode_data_uri,
    read_accessors,
    read_buffers,
    read_views,
)
from asset_processing.limits import DEFAULT, Limits
from asset_processing.structure import check_structure

__all__ = ["GlbDocument", "Image"]


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

    Reading copies nothing. A change goes through `edit_json` or `edit_binary`; what was not
    changed is written as it came in, byte for byte, and a document that was not changed at all is
    written as the input itself. Indices never move: nothing is ever removed or reordered.

    Attributes:
        json: The glTF document, for reading. It holds what the strict parser let through, with
            unknown members and extensions as they are.
        buffers: Bytes of each buffer; None for one that only compressed views stand for.
        views: The buffer views.
        accessors: The accessors. Their ``min`` and ``max`` are read from ``json``.
        images: The images.
        limits: What the file may ask for.
    """

    __slots__ = (
        "_binary",
        "_container",
        "_json_changed",
        "_source",
        "accessors",
        "buffers",
        "images",
        "json",
        "limits",
        "views",
    )

    json: JsonObject
    buffers: tuple[memoryview | None, ...]
    views: tuple[BufferView, ...]
    accessors: tuple[Accessor, ...]
    images: tuple[Image, ...]
    limits: Limits

    def __init__(self, source: memoryview, container: Container, *, limits: Limits) -> None:
        """Use `parse`."""
        self._source = source
        self._container = container
        self._json_changed = False
        self._binary: bytearray | None = None
        self.json = container.json
        self.limits = limits
        root = self.root
        binary = container.tail[container.bin_start :][: container.bin_length]
        self.buffers = read_buffers(root, binary, limits=limits)
        self.views = read_views(root, self.buffers)
        self.accessors = read_accessors(root, self.views, limits=limits)
        check_structure(root, self.accessors, limits=limits)
        self.images = _read_images(root, self, limits=limits)

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
        """Whether anything was edited."""
        return self._json_changed or self._binary is not None

    def edit_json(self) -> JsonObject:
        """Return the glTF document for changing; it will be written anew."""
        self._json_changed = True
        return self.json

    def edit_binary(self) -> memoryview:
        """Return buffer 0 for changing in place, copied once.

        Raises:
            InvalidGlb: Buffer 0 is not the GLB's binary chunk.
        """
        if not self.embeds(0):
            raise InvalidGlb("Buffer 0 is not the GLB's binary chunk.", pointer="/buffers/0")
        if self._binary is None:
            self._binary = bytearray(self._container.tail)
        start = self._container.bin_start
        length = self.json["buffers"][0]["byteLength"]
        binary = memoryview(self._binary)[start : start + length]
        self.buffers = (binary.toreadonly(), *self.buffers[1:])
        return binary

    def embeds(self, buffer: int) -> bool:
        """Tell whether a buffer is the GLB's binary chunk (glTF 2.0, 3.6.1.1)."""
        return buffer == 0 and bool(self.buffers) and "uri" not in self.json["buffers"][0]

    def view_bytes(self, index: int) -> memoryview:
        """Return the bytes of an uncompressed buffer view."""
        view = self.views[index]
        buffer = self.buffers[view.buffer]
        if buffer is None or view.compressed:
            pointer = f"/bufferViews/{index}"
            raise InvalidGlb(f"{pointer} holds compressed vertices.", pointer=pointer)
        return buffer[view.start : view.start + view.length]

    def write(self) -> list[bytes | memoryview]:
        """Return the file in pieces, in order, for one gathering write."""
        if not self.changed:
            return [self._source]
        tail = self._container.tail if self._binary is None else memoryview(self._binary)
        body = self._json_chunk()
        return [encode_header(len(body) + len(tail)), body, tail]

    def to_bytes(self) -> bytes:
        """Return the file. The same document and the same edits always give the same bytes."""
        return b"".join(self.write())

    def _json_chunk(self) -> bytes | memoryview:
        if self._json_changed:
            return encode_json(self.json)
        header = 12  # What `encode_header` gives.
        return self._source[header : len(self._source) - len(self._container.tail)]


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
