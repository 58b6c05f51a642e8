// A host for plugins of the contract `scheduling:crm@0.1.0`, written from `wit/`. `H` numbers are its MUSTs for hosts; H23 to H27 are
// in http-worker.mjs. README.md lists what this host leaves out.
import { MessageChannel, Worker, receiveMessageOnPort } from "node:worker_threads";
import { transpileBytes } from "@bytecodealliance/jco-transpile";

const CONTRACT = "scheduling:crm@0.1.0";
const TEXT_BYTES = 131_072;
const ARGUMENTS = { bytes: 1_048_576, items: 2_000 };
const RESULT = { bytes: 8_388_608, items: 10_000 };

// Loads a component. `permissions` are its manifest and limits, as far as the operator's policy allows them. The result connects the
// plugin to a credential's origin, token and attributes.
export async function load(bytes, permissions) {
  const { contract } = permissions.manifest.plugin;
  if (contract !== CONTRACT) throw new Error(`the plugin needs ${contract}; this host has ${CONTRACT}`); // H31
  const { files, imports } = await transpileBytes(bytes, { name: "plugin", instantiation: "sync" });
  const foreign = imports.filter((name) => !/^scheduling:crm\/(types|http|secrets)(@0\.1\.\d+)?$/.test(name)); // H30
  if (foreign.length > 0) throw new Error(`the plugin imports ${foreign}`); // H29
  const glue = Buffer.from(files["plugin.js"]).toString("base64");
  const { instantiate } = await import(`data:text/javascript;base64,${glue}`);
  const modules = Object.keys(files).filter((name) => name.endsWith(".wasm"));
  const compiled = new Map(modules.map((name) => [name, new WebAssembly.Module(files[name])]));
  return (connection) => {
    const importsOfCall = connected(permissions, connection);
    return (...call) => run(() => instantiate((name) => compiled.get(name), importsOfCall()), ...call); // H19
  };
}

// Calls a function of an exported interface. Returns `ok` or `err`; `undefined` if the plugin does not have the interface [H32].
function run(instantiate, exported, name, ...given) {
  measure({ ...given }, ARGUMENTS); // H2
  const plugin = instantiate()[exported];
  if (!plugin) return undefined;
  let result;
  try {
    result = { ok: plugin[name](...given) };
  } catch (error) {
    // jco throws the function's own error as it is. An `Error` is a trap, or a bug in this host.
    if (error instanceof Error) throw error;
    result = { err: error };
  }
  measure(result, RESULT); // H3
  return result;
}

// What a plugin imports: the result makes it for one call.
function connected({ manifest, limits, test_overrides }, { credential, origin, token, attributes }) {
  const { slot, attributes: listed } = manifest.credentials[credential];
  const workerData = { egress: manifest.egress, limits, test_overrides, slot, origin, token };
  const worker = new Worker(new URL("http-worker.mjs", import.meta.url), { workerData });
  worker.unref();
  class Credential {
    origin = () => origin;
    attribute = (name) => (Object.hasOwn(listed, name) ? attributes[name] : undefined);
  }
  const open = (name) => {
    if (name !== credential) throw { tag: "unavailable" }; // H22
    return new Credential();
  };
  return () => {
    const end = performance.now() + limits.wall_ms;
    let requests = 0;
    const send = (request) => {
      const milliseconds = Math.floor(end - performance.now());
      const spent = requests++ >= limits.http_requests || milliseconds <= 0; // H26
      const { failure, response } = spent ? failed("budget", "none") : exchange(worker, request, milliseconds);
      if (failure) throw failure;
      return response;
    };
    return { "scheduling:crm/http": { send }, "scheduling:crm/secrets": { open, Credential } };
  };
}

// Blocks this thread until the worker replies. Each request has a port of its own, so that a late reply goes nowhere.
function exchange(worker, request, milliseconds) {
  const { port1, port2 } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  worker.postMessage({ request, milliseconds, reply: port2, done }, [port2]);
  Atomics.wait(done, 0, 0, milliseconds + 1_000);
  const received = receiveMessageOnPort(port1);
  port1.close();
  return received?.message ?? failed("timeout", "unknown"); // H27
}

const failed = (kind, effect) => ({ failure: { kind: { tag: kind }, effect, more: [] } });

// Throws if a value is larger than allowed. In JavaScript the cases of variants and enums are texts too; they do not count.
function measure(value, { bytes, items }) {
  const atMost = (limit, count, what) => {
    if (count > limit) throw new RangeError(`${count} ${what}; the contract allows ${limit}`);
    return count;
  };
  const size = (value) => {
    if (typeof value === "string") return atMost(TEXT_BYTES, Buffer.byteLength(value), "bytes in a text");
    if (typeof value !== "object" || value === null) return 0;
    const isList = Array.isArray(value) || ArrayBuffer.isView(value);
    const own = isList ? 16 * atMost(items, value.length, "items in a list") : 0;
    const parts = Object.entries(value).filter(([name]) => !["tag", "effect", "consequence"].includes(name));
    return parts.reduce((sum, [, part]) => sum + size(part), own);
  };
  atMost(bytes, size(value), "bytes");
}
