// A client that knows the protos and nothing else of the project.
//
//   node generate.mjs HOST:PORT PICTURE OUT.glb
//
// Asks for a model that does not exist, then turns the picture into a GLB. Prints lines of JSON:
// {"refused": {code, domain, reason}}, then {"sequence", "kind"} for each entry of the job's log,
// then {"asset": {...}, "chunks"} once the bytes that came are the ones that were announced.
// Anything that the contract does not allow ends it with an exception.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const PROTOS = fileURLToPath(new URL("../../protos", import.meta.url));
const OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };
const MAX_CHUNK_BYTES = 256 * 1024;

// What we need of google/rpc/status.proto and error_details.proto.
const RICH_STATUS = {
  nested: {
    Any: { fields: { type_url: field("string", 1), value: field("bytes", 2) } },
    Status: { fields: { details: { rule: "repeated", ...field("Any", 3) } } },
    ErrorInfo: { fields: { reason: field("string", 1), domain: field("string", 2) } },
  },
};

function field(type, id) {
  return { type, id };
}

function connect(address) {
  const definition = protoLoader.loadSync("assetwright/v1/generation_service.proto", {
    ...OPTIONS,
    includeDirs: [PROTOS],
  });
  const { GenerationService } = grpc.loadPackageDefinition(definition).assetwright.v1;
  return new GenerationService(address, grpc.credentials.createInsecure());
}

function inAMinute() {
  return { deadline: Date.now() + 60_000 };
}

// The error a call ends with; a call that ends well has none.
async function refusal(call) {
  try {
    for await (const message of call) {
      assert.fail(`The server answered ${JSON.stringify(message)}`);
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return error;
  }
  return assert.fail("The call ended well.");
}

function explain(error) {
  const types = protoLoader.fromJSON(RICH_STATUS, OPTIONS);
  const [trailer] = error.metadata.get("grpc-status-details-bin");
  const { details } = types.Status.deserialize(trailer);
  const info = details.find(({ type_url }) => type_url.endsWith("/google.rpc.ErrorInfo"));
  const { domain, reason } = types.ErrorInfo.deserialize(info.value);
  return { code: grpc.status[error.code], domain, reason };
}

// Checks each message as it comes, and keeps what is needed of it.
class Following {
  sequence = 0;
  completed = null;
  pieces = [];
  received = 0;

  take(event) {
    if (event.kind === "heartbeat") return;
    if (event.kind === "chunk") return this.takeChunk(event);
    assert.equal(event.sequence, this.sequence + 1, "The log has a gap.");
    assert.equal(this.completed, null, "An entry follows the terminal one.");
    this.sequence = event.sequence;
    console.log(JSON.stringify({ sequence: event.sequence, kind: event.kind }));
    if (event.kind === "completed") this.completed = event.completed;
  }

  takeChunk({ sequence, chunk }) {
    assert.equal(sequence, 0, "A chunk is no entry of the log.");
    assert.notEqual(this.completed, null, "A chunk came before the terminal event.");
    assert.equal(chunk.asset_id, this.model().asset_id);
    assert.equal(chunk.offset, this.received, "The chunks have a gap or overlap.");
    assert.ok(0 < chunk.data.length && chunk.data.length <= MAX_CHUNK_BYTES);
    this.pieces.push(chunk.data);
    this.received += chunk.data.length;
  }

  model() {
    const models = this.completed.assets.filter(({ role }) => role === "ASSET_ROLE_MODEL");
    assert.equal(models.length, 1);
    return models[0];
  }

  bytes() {
    assert.notEqual(this.completed, null, "The stream ended before the job did.");
    const bytes = Buffer.concat(this.pieces);
    assert.equal(bytes.length, this.model().size_bytes);
    assert.equal(createHash("sha256").update(bytes).digest("hex"), this.model().sha256);
    return bytes;
  }
}

const [address, picture, out] = process.argv.slice(2);
const client = connect(address);
try {
  const unknown = client.Generate({ model: "no-such-model" }, inAMinute());
  console.log(JSON.stringify({ refused: explain(await refusal(unknown)) }));

  const request = {
    model: "pixal3d",
    inputs: [{ role: "INPUT_ROLE_SOURCE", inline_data: await readFile(picture) }],
    parameters: { decimation_target: { int_value: 8000 }, texture_size: { int_value: 1024 } },
  };
  const following = new Following();
  for await (const { event } of client.Generate(request, inAMinute())) {
    following.take(event);
  }
  await writeFile(out, following.bytes());
  const { asset_id, size_bytes, sha256 } = following.model();
  const chunks = following.pieces.length;
  console.log(JSON.stringify({ asset: { asset_id, size_bytes, sha256 }, chunks }));
} finally {
  client.close();
}
