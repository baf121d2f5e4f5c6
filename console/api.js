// Makes src/api/schema.gen.ts of the coordinator's description of its API; with --check, only says whether it is fresh.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const target = new URL("src/api/schema.gen.ts", import.meta.url);
const description = JSON.parse(readFileSync(new URL("../coordinator/openapi.json", import.meta.url), "utf8"));
for (const path of Object.values(description.paths)) {
  // Operations of different paths bear the same name; without one each stands at its path.
  for (const operation of Object.values(path)) delete operation.operationId;
}
const types = `// Generated from coordinator/openapi.json by \`npm run api\`.\n\n${astToString(
  await openapiTS(description, { emptyObjectsUnknown: true }),
)}`;
if (!process.argv.includes("--check")) writeFileSync(target, types);
else if (readFileSync(target, "utf8") !== types) {
  console.error("src/api/schema.gen.ts is not what coordinator/openapi.json says: run `npm run api`");
  process.exit(1);
}
