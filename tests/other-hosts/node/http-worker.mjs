// The interface `http` for one connection, on a thread of its own: the plugin's import blocks the thread that it runs on. Only this
// thread gets the token.
//
// It opens each connection in a step of its own, as the contract advises at `failure.effect`, so it knows whether the request can
// have left [H27]: a failure before `http.request` has the effect `none`, each later one has `unknown`. `fetch` reports both alike,
// and reuses connections.
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import tls from "node:tls";
import { parentPort, workerData } from "node:worker_threads";
import { gunzipSync } from "node:zlib";

const { egress, limits, test_overrides, slot, origin, token } = workerData;
const rules = egress.filter((rule) => covers(rule.origin));

// Headers that only the host sets, whatever the manifest lists [H24].
const HOST_HEADERS = new RegExp(
  "^(" +
    "authorization|cookie|x-api-key|x-auth-token|(proxy-|sec-).*|.*_.*|" +
    "host|content-length|expect|connection|keep-alive|http2-settings|te|trailer|transfer-encoding|upgrade|" +
    "accept-charset|accept-encoding|range|if-range|" +
    "x-host|x-http-method|x-(http-)?method-override|x-(original|override|rewrite)-url|" +
    "forwarded|via|x-forwarded-.*|x-real-ip|true-client-ip|x-client-ip|x-cluster-client-ip" +
    ")$",
  "i",
);
const VISIBLE = /^[\t\x20-\x7e]*$/;

const failed = (kind, effect) => ({ failure: { kind: { tag: kind }, effect, more: [] } });

parentPort.on("message", async ({ request, milliseconds, reply, done }) => {
  const refused = refusal(request);
  reply.postMessage(refused ? failed(refused, "none") : await exchange(request, milliseconds));
  // The reply is in its queue before the waiting thread wakes up.
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});

// Whether a rule of the manifest is about the connected org. A local org has no `https`: the operator's policy names the pattern
// that it stands in for.
function covers(pattern) {
  if (test_overrides.some((override) => override.pattern === pattern && override.origin === origin)) return true;
  const below = pattern.startsWith("https://*.") && /^https:\/\/[^:.]/.test(origin) && origin.endsWith(pattern.slice(9));
  return below || pattern === origin;
}

// Why a request is not sent [H23, H24]; `undefined` if it can be sent.
function refusal({ method, url, headers, body }) {
  const texts = [url, ...headers.flatMap(({ name, value }) => [name, value])];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), body?.length ?? 0);
  if (Buffer.byteLength(url) > 16_000 || headers.length > 32 || bytes > limits.request_bytes) return "invalid-request";
  if (!URL.canParse(url) || url.includes("#")) return "invalid-request";
  const target = new URL(url);
  if (target.username || target.password) return "invalid-request";
  for (const { name, value } of headers) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !VISIBLE.test(value)) return "invalid-request";
    if (HOST_HEADERS.test(name) || name.toLowerCase() === slot.header.toLowerCase()) return "invalid-request";
  }
  if (body && ["GET", "DELETE"].includes(nameOf(method))) return "invalid-request";
  const route = routeOf(method, target);
  const names = [...target.searchParams.keys()];
  const asked = route && names.every((name, at) => (route.query ?? []).includes(name) && names.indexOf(name) === at);
  if (target.origin !== origin || !asked || target.search.includes(";")) return "denied";
  const set = headers.map(({ name }) => name.toLowerCase());
  const known = set.every((name, at) => (route.headers ?? []).includes(name) && set.indexOf(name) === at);
  return known ? undefined : "invalid-request";
}

// The route of a request. The one that names a segment comes before the one that has `{name}` there.
function routeOf(method, { pathname }) {
  const segments = pathname.split("/");
  const isOne = (expected, at) => (/^{.*}$/.test(expected) ? unambiguous(segments[at]) : expected === segments[at]);
  return rules
    .flatMap((rule) => rule.routes)
    .filter((route) => route.method === nameOf(method) && route.path.split("/").length === segments.length)
    .filter((route) => route.path.split("/").every(isOne))
    .sort((one, other) => (one.path.replaceAll("{", "~") < other.path.replaceAll("{", "~") ? -1 : 1))[0];
}

// Whether all servers read a segment alike [H34].
function unambiguous(segment) {
  try {
    const decoded = decodeURIComponent(segment);
    return !/[\/\\;%\p{Cc}]/u.test(decoded.normalize("NFKC")) && !/^\s*\.*\s*$/.test(decoded.normalize("NFKC"));
  } catch {
    return false;
  }
}

function nameOf(method) {
  return method.val ?? method.tag.toUpperCase();
}

async function exchange({ method, url, headers, body }, milliseconds) {
  // The parsed URL is sent, since that is what was checked.
  const { protocol, hostname, port, host, pathname, search } = new URL(url);
  const secure = protocol === "https:";
  const name = hostname.replace(/^\[|\]$/g, "");
  const deadline = AbortSignal.timeout(milliseconds);
  const stopped = (kind, effect) => failed(deadline.aborted ? "timeout" : kind, effect);

  let step = "connect";
  let socket = net.connect(port || (secure ? 443 : 80), name);
  const giveUp = () => socket.destroy(new Error("time ran out"));
  deadline.addEventListener("abort", giveUp);
  try {
    await once(socket, "connect");
    if (secure) {
      step = "tls";
      // Without a session to resume there is no early data: nothing of the request leaves with the handshake.
      const servername = net.isIP(name) ? undefined : name;
      socket = tls.connect({ socket, servername, ALPNProtocols: ["http/1.1"], rejectUnauthorized: true });
      await once(socket, "secureConnect");
    }
  } catch {
    socket.destroy();
    return stopped(step, "none");
  }

  try {
    const fields = headers.flatMap(({ name, value }) => [name, value]);
    fields.push("host", host, "accept-encoding", "gzip", "connection", "close");
    fields.push(slot.header, slot.scheme ? `${slot.scheme} ${token}` : token);
    if (body || !["GET", "DELETE"].includes(nameOf(method))) fields.push("content-length", String(body?.length ?? 0));
    // Node follows no redirect [H25], and repeats nothing.
    const request = http.request({ createConnection: () => socket, method: nameOf(method), path: pathname + search, headers: fields });
    // What fails after the response began shows at the response.
    request.on("error", () => {});
    request.end(body);
    // A 101 that nobody asked for closes the request without an error.
    const closed = once(request, "close").then(() => Promise.reject(new Error("closed")));
    const [response] = await Promise.race([once(request, "response"), closed]);
    const received = await read(response);
    return received.kind ? stopped(received.kind, "unknown") : passedOn({ method, url }, response, received.body);
  } catch {
    return stopped("closed", "unknown");
  } finally {
    socket.destroy();
    deadline.removeEventListener("abort", giveUp);
  }
}

// The limit holds for what arrives and for what it decodes to [H26].
async function read(response) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > limits.response_bytes) return { kind: "response-too-large" };
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const coding = response.headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (coding === "identity" || bytes === 0) return { body };
  try {
    if (coding === "gzip") return { body: gunzipSync(body, { maxOutputLength: limits.response_bytes }) };
  } catch (error) {
    if (error.code === "ERR_BUFFER_TOO_LARGE") return { kind: "response-too-large" };
  }
  return { kind: "closed" };
}

// What the plugin may see of a response. `Date` is among its headers: the plugin compares it with `history.now`.
function passedOn({ method, url }, { statusCode, rawHeaders }, body) {
  const headers = rawHeaders.flatMap((name, at) => (at % 2 ? [] : [{ name, value: rawHeaders[at + 1] }]));
  // H20, as far as the server repeats the token as it is.
  if (body.includes(token) || rawHeaders.some((text) => text.includes(token))) return failed("response-blocked", "unknown");
  const route = routeOf(method, new URL(url));
  const passed = headers.filter(({ name, value }) => (route.response_headers ?? []).includes(name.toLowerCase()) && VISIBLE.test(value));
  // Of other media types, and of other charsets, the plugin gets no body [H35].
  const types = headers.filter(({ name }) => name.toLowerCase() === "content-type").map(({ value }) => value.toLowerCase());
  const [type, charset] = (types.length === 1 ? types[0] : "").split(";").map((part) => part.trim());
  const listed = (route.response_types ?? []).includes(type) && [undefined, "", "charset=utf-8", 'charset="utf-8"'].includes(charset);
  const more = listed || body.length === 0 ? [] : [{ name: "body-withheld", value: type }];
  return { response: { status: statusCode, headers: passed, body: listed ? body : new Uint8Array(), more } };
}
