// Runs jsforce against the org given in the environment: every check expects what Salesforce would respond.

import { finish } from "./judge.mjs";

// In sequence: later checks use records of earlier ones.
await import("./grants.mjs");
await import("./creates.mjs");
await import("./records.mjs");

finish();
