// `node scenario.mjs COMPONENT LEDGER < input.json`: checks the connection, lists fields, previews and delivers a booking, and
// delivers another one, whose first response gets lost if the org drops it. Prints each result as JSON, and on stderr a transcript
// without values [H4].
import { fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { load } from "./host.mjs";

const { permissions, connection } = JSON.parse(readFileSync(0, "utf8"));
const call = (await load(readFileSync(process.argv[2]), permissions))(connection);

// The ledger: a line when a try begins and when it ends, on disk before the host goes on [H11].
const ledger = openSync(process.argv[3], "a+");
const events = readFileSync(ledger, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
function record(event) {
  writeSync(ledger, `${JSON.stringify(event)}\n`);
  fsyncSync(ledger);
  events.push(event);
}

function history(id) {
  const own = events.filter((event) => event.id === id);
  const begins = own.map(({ began }) => BigInt(began));
  // A try without an end counts as unknown: the host stopped, or the plugin trapped.
  const harmless = new Set(own.filter(({ effect }) => effect === "none").map(({ began }) => BigInt(began))); // H14
  const unknown = begins.slice(own.findLastIndex(({ settles }) => settles) + 1).filter((began) => !harmless.has(began)); // H15
  return {
    now: BigInt(Date.now()),
    records: [...new Map(own.flatMap(({ records }) => records ?? []).map((record) => [JSON.stringify(record), record])).values()], // H13
    firstTry: begins[0],
    unknownTries: unknown.length > 0 ? { oldest: unknown[0], newest: unknown.at(-1) } : undefined,
    related: [], more: [],
  };
}

function deliver(booking, mapping) {
  const known = history(booking.id);
  const attempt = { id: booking.id, began: Number(known.now) };
  record(attempt);
  const { ok, err } = call("leads", "onBookingCompleted", booking, mapping, known);
  const unsettled = err?.effect === "unknown" || ["check-first", "reconnect", "other"].includes(err?.reaction.tag); // H16 to H18
  record({ ...attempt, effect: err?.effect ?? "none", settles: !unsettled, records: ok?.records ?? err.made });
  return { ok, err };
}

const results = {};
function show(step, result, text) {
  results[step] = result;
  const [problem] = [result?.err].flat();
  const failure = problem && `${problem.code}: ${problem.reaction.tag}, effect ${problem.effect}`;
  console.error(`${step}: ${failure ?? (result ? text(result.ok) : "not offered by the plugin")}`);
}

show("account", call("connection", "check", "en"), ({ name, id }) => `${name} (${id})`);
show("fields", call("leads", "listLeadFields", undefined, "en"), ({ fields }) => `${fields.length} can be mapped`);

// Bookings and rows by hand, where a platform has its form and a saved mapping. Each row has the memo of its field [H8].
const memos = new Map(results.fields.ok?.fields.map(({ name, memo }) => [name, memo]));
const row = (field, tag, val, source) =>
  ({ field, memo: memos.get(field) ?? "", value: { tag, val }, source: { tag: source }, onChange: source === "meeting" });
function booked(id, name, company, email, start) {
  const rows = [
    row("LastName", "text", name, "guest"),
    row("Company", "text", company, "guest"),
    row("Email", "text", email, "guest"),
    row("MeetingAt__c", "moment", start, "meeting"),
    row("LeadSource", "text", "Web", "mapping"),
  ];
  return [{ kind: { tag: "confirmed" }, id, teamId: "team-1", locale: "ja", more: [] }, { rows, options: [], more: [] }];
}
const first = booked("b-1", "山田", "みなと商事", "yamada@minato.example", "2026-12-01T10:00:00+09:00");
const second = booked("b-2", "佐藤", "さくら工業", "sato@sakura.example", "2026-12-02T14:30:00+09:00");

const delivered = ({ outcome, records }) => `${outcome.tag} ${records.map(({ object, id }) => `${object} ${id}`)}`;
const planned = ({ steps }) => steps.map(({ action, values }) => `${action.tag} with ${values.map(({ field }) => field)}`).join();
show("preview", call("settings", "preview", ...first, []), planned);
show("delivery", deliver(...first), delivered);
show("lost", deliver(...second), delivered);
// A host waits for `retry-after` before it tries again; a scenario does not.
show("found", deliver(...second), delivered);
console.log(JSON.stringify(results));
