// jsforce, run against the org that the environment names: every check says what Salesforce would answer.

import { finish } from "./judge.mjs";

// One after the other: the later ones work on what the earlier ones made.
await import("./grants.mjs");
await import("./creates.mjs");
await import("./records.mjs");

finish();
