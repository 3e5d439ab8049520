// A picture becomes a GLB, from Node, over gRPC, with nothing but the protos.
//
//   npm install && node generate.mjs PICTURE OUT.glb
//
// A broken stream is resumed behind the last entry that was seen, a broken download at the byte it
// reached. The request id is made from the picture: running it again attaches to the same job and
// pays nothing. The server is ASSETWRIGHT_SERVER (HOST:PORT), the token ASSETWRIGHT_TOKEN.

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const SERVER = process.env.ASSETWRIGHT_SERVER ?? "127.0.0.1:50051";
const TOKEN = process.env.ASSETWRIGHT_TOKEN;
const PROTOS = fileURLToPath(new URL("../../protos", import.meta.url));
const FILES = ["generation_service", "asset_service"].map((name) => `assetwright/v1/${name}.proto`);
const MAX_BREAKS = 10; // In a row, without anything new between them.

const definition = protoLoader.loadSync(FILES, {
  keepCase: true,
  longs: Number,
  enums: String,
  oneofs: true,
  includeDirs: [PROTOS],
});
const { GenerationService, AssetService } = grpc.loadPackageDefinition(definition).assetwright.v1;
const credentials = grpc.credentials.createInsecure();
const generation = new GenerationService(SERVER, credentials);
const assets = new AssetService(SERVER, credentials);

function metadata() {
  const found = new grpc.Metadata();
  if (TOKEN) found.set("authorization", `Bearer ${TOKEN}`);
  return found;
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

// Yields the messages of a stream that is begun anew whenever the connection breaks.
async function* unbroken(begin) {
  for (let breaks = 0; ; ) {
    try {
      for await (const message of begin()) {
        breaks = 0;
        yield message;
      }
      return;
    } catch (error) {
      const broken = [grpc.status.UNAVAILABLE, grpc.status.CANCELLED].includes(error.code);
      if (!broken || ++breaks > MAX_BREAKS) throw error;
      await pause(250 * 2 ** Math.min(breaks, 5));
    }
  }
}

async function generate(picture) {
  let jobId = null;
  let sequence = 0;
  const request = {
    request_id: `example-${sha256(picture).slice(0, 32)}`,
    model: "pixal3d",
    inputs: [{ role: "INPUT_ROLE_SOURCE", inline_data: picture }],
    parameters: { decimation_target: { int_value: 8000 }, texture_size: { int_value: 1024 } },
    processing: { height_m: 1.0, pivot: "PIVOT_BASE" },
    delivery: "DELIVERY_ANNOUNCE",
  };
  const begin = () =>
    jobId === null
      ? generation.Generate(request, metadata())
      : generation.WatchJob({ job_id: jobId, after_sequence: sequence }, metadata());
  for await (const { event } of unbroken(begin)) {
    if (!event.sequence || event.sequence <= sequence) continue;
    ({ job_id: jobId, sequence } = event);
    console.log(sequence, event.kind);
    if (event.kind === "completed") return event.completed;
    if (event.kind === "failed") {
      const { message, remedy } = event.failed.error;
      throw new Error(`${message} ${remedy}`);
    }
    if (event.kind === "cancelled") throw new Error("The job was cancelled.");
  }
  throw new Error("The stream ended before the job did.");
}

async function download(asset) {
  const pieces = [];
  let reached = 0;
  const begin = () =>
    assets.DownloadAsset({ asset_id: asset.asset_id, offset: reached }, metadata());
  for await (const { item, chunk } of unbroken(begin)) {
    if (item !== "chunk") continue;
    pieces.push(chunk.data);
    reached += chunk.data.length;
  }
  const bytes = Buffer.concat(pieces);
  if (sha256(bytes) !== asset.sha256) throw new Error("The file did not arrive whole.");
  return bytes;
}

const [picture, out] = process.argv.slice(2);
if (!picture || !out) {
  console.error("usage: node generate.mjs PICTURE OUT.glb");
  process.exit(2);
}
try {
  const completed = await generate(await readFile(picture));
  const model = completed.assets.find(({ role }) => role === "ASSET_ROLE_MODEL");
  await writeFile(out, await download(model));
  for (const { name, detail } of completed.report.checks) console.log(`${name}: ${detail}`);
  console.log(out);
} catch (error) {
  console.error(error.details ?? error.message);
  process.exitCode = 1;
} finally {
  generation.close();
  assets.close();
}
