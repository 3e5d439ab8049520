// Khronos' glTF validator over files: one line of JSON each, in the order given.
//
//   node validate.mjs FILE...

import { readFile } from "node:fs/promises";
import process from "node:process";

import validator from "gltf-validator";

for (const file of process.argv.slice(2)) {
  const report = await validator.validateBytes(new Uint8Array(await readFile(file)), {
    maxIssues: 0, // All of them.
    writeTimestamp: false,
  });
  const { numErrors, numWarnings, numInfos, numHints, messages } = report.issues;
  const counts = { errors: numErrors, warnings: numWarnings, infos: numInfos, hints: numHints };
  console.log(JSON.stringify({ file, ...counts, messages }));
}
