// gltf-transform in a warm process: reads one JSON request a line, answers with milliseconds.

import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import { NodeIO } from "@gltf-transform/core";
import { ALL_EXTENSIONS } from "@gltf-transform/extensions";
import { center, simplify, weld } from "@gltf-transform/functions";
import { MeshoptSimplifier } from "meshoptimizer";

const io = new NodeIO().registerExtensions(ALL_EXTENSIONS);
await MeshoptSimplifier.ready;

function scale(document, factor) {
  for (const scene of document.getRoot().listScenes()) {
    for (const node of scene.listChildren()) {
      node.setScale(node.getScale().map((value) => value * factor));
      node.setTranslation(node.getTranslation().map((value) => value * factor));
    }
  }
}

const operations = {
  async scale(document, { factor }) {
    scale(document, factor);
  },
  async place(document, { factor }) {
    scale(document, factor);
    await document.transform(center({ pivot: "below" }));
    for (const texture of document.getRoot().listTextures()) {
      texture.getImage();
    }
  },
  async simplify(document, { ratio }) {
    await document.transform(weld(), simplify({ simplifier: MeshoptSimplifier, ratio, error: 1 }));
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const start = performance.now();
  const document = await io.readBinary(new Uint8Array(await readFile(request.source)));
  await operations[request.operation](document, request);
  await writeFile(request.destination, await io.writeBinary(document));
  process.stdout.write(`${JSON.stringify({ ms: performance.now() - start })}\n`);
}
