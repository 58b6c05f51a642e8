// Another host for the same component: jco on Node. `node host.mjs COMPONENT SCRIPT` calls `list-lead-fields` and
// `on-booking-completed` as SCRIPT says, responds to the plugin's requests from SCRIPT, and prints the results as JSON.
import { readFile } from "node:fs/promises";
import { transpile } from "@bytecodealliance/jco-transpile";

const [component, scriptFile] = process.argv.slice(2);
const script = JSON.parse(await readFile(scriptFile, "utf8"));
const requests = [];

class Credential {
  attribute = (name) => script.credential.attributes[name];
}

function open(name) {
  if (name !== script.credential.name) throw "unavailable";
  return new Credential();
}

function send({ method, url, headers, body }, credential) {
  const text = body && new TextDecoder().decode(body);
  requests.push({ method, url, headers, body: text, authorized: credential instanceof Credential });
  const found = script.exchanges.find((exchange) => exchange.method === method && exchange.url === url);
  if (!found) throw { kind: "denied", effect: "none" };
  return { ...found.response, body: new TextEncoder().encode(found.response.body) };
}

const { files } = await transpile(component, { name: "plugin", instantiation: "sync" });
const glue = Buffer.from(files["plugin.js"]).toString("base64");
const { instantiate } = await import(`data:text/javascript;base64,${glue}`);
const core = (name) => new WebAssembly.Module(files[name]);
const imports = { "scheduling:crm/http": { send }, "scheduling:crm/secrets": { open, Credential } };

// A fresh instance for each call, as the contract requires.
function call(name, ...given) {
  const { leads } = instantiate(core, imports);
  try {
    return { ok: leads[name](...given) };
  } catch (error) {
    // An `Error` without a payload is a trap or a bug in this file; anything else is the function's own error.
    if (error instanceof Error && error.payload === undefined) throw error;
    return { err: error.payload ?? error };
  }
}

const fields = call("listLeadFields");
const delivery = call("onBookingCompleted", script.booking, script.mapping, script.history);
const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
console.log(JSON.stringify({ fields, delivery, requests }, plain));
