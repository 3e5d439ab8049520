// A gRPC-Web client that others wrote (connect-web), told nothing but the protos' descriptors.
//
//   node web.mjs http://HOST:PORT DESCRIPTORS PICTURE OUT.glb
//
// DESCRIPTORS is a serialized google.protobuf.FileDescriptorSet. Prints lines of JSON: {"models"},
// {"refused": {code, reason, fields}}, {"late": code}, {"sequence", "kind"} for each entry of a
// job's log, {"resumed": [...]} for the kinds of the same log from its second entry on, and
// {"asset": {...}} once the downloaded bytes are those that were announced.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";

import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

const [baseUrl, descriptors, picture, out] = process.argv.slice(2);
const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, await readFile(descriptors)),
);
const transport = createGrpcWebTransport({ baseUrl, useBinaryFormat: true });

function service(name) {
  return createClient(registry.getService(`assetwright.v1.${name}`), transport);
}

function print(line) {
  console.log(JSON.stringify(line));
}

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof ConnectError, error);
    return error;
  }
  return assert.fail("The call ended well.");
}

function explain(error) {
  const [info] = error.findDetails(registry.getMessage("google.rpc.ErrorInfo"));
  const [bad] = error.findDetails(registry.getMessage("google.rpc.BadRequest"));
  const fields = bad ? bad.fieldViolations.map(({ field }) => field) : [];
  return { code: Code[error.code], reason: info.reason, fields };
}

async function drain(stream) {
  const events = [];
  for await (const { event } of stream) events.push(event);
  return events;
}

const generation = service("GenerationService");
const assets = service("AssetService");

const { models } = await service("ModelService").listModels({});
print({ models: models.map(({ modelId }) => modelId) });

const source = { role: 1, source: { case: "inlineData", value: await readFile(picture) } };
const request = {
  model: "pixal3d",
  inputs: [source],
  parameters: {
    decimation_target: { kind: { case: "intValue", value: 8000n } },
    texture_size: { kind: { case: "intValue", value: 1024n } },
  },
};
const wrong = { ...request, parameters: { texture_size: { kind: { case: "intValue", value: 7n } } } };
print({ refused: explain(await refusal(() => drain(generation.generate(wrong)))) });

const late = await refusal(() => drain(generation.generate(request, { timeoutMs: 50 })));
print({ late: Code[late.code] });

let completed = null;
let jobId = "";
for await (const { event } of generation.generate(request, { timeoutMs: 60_000 })) {
  if (!event.sequence) continue;
  jobId = event.jobId;
  print({ sequence: Number(event.sequence), kind: event.kind.case });
  if (event.kind.case === "completed") completed = event.kind.value;
}
assert.notEqual(completed, null);

const rest = await drain(generation.watchJob({ jobId, afterSequence: 1n }));
print({ resumed: rest.map(({ kind }) => kind.case) });

const model = completed.assets.find(({ role }) => role === 3);
const pieces = [];
let reached = 0n;
for await (const { item } of assets.downloadAsset({ assetId: model.assetId })) {
  if (item.case === "asset") continue;
  assert.equal(item.value.offset, reached, "The chunks have a gap or overlap.");
  reached += BigInt(item.value.data.length);
  pieces.push(item.value.data);
}
const bytes = Buffer.concat(pieces);
assert.equal(createHash("sha256").update(bytes).digest("hex"), model.sha256);
await writeFile(out, bytes);
print({ asset: { asset_id: model.assetId, size_bytes: bytes.length, sha256: model.sha256 } });
