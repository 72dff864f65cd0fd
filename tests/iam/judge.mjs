// Reads one simulation a line and writes one result a line: iam-simulate's, or its error.
// The folder that iam-simulate is installed in is the one argument.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const installed = createRequire(`${process.argv[2]}/`).resolve("@cloud-copilot/iam-simulate");
const { runSimulation } = await import(pathToFileURL(installed));

for await (const line of createInterface({ input: process.stdin })) {
  const result = await runSimulation(JSON.parse(line), {});
  console.log(JSON.stringify(result.overallResult ?? { error: result.errors }));
}
