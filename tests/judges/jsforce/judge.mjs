// Shared parts of the checks: named checks, and a person with a browser.

import { createInterface } from "node:readline";
import { inspect, isDeepStrictEqual } from "node:util";

export const BASE_URL = process.env.BASE_URL;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Has a person allow access, in the test that started this script, and answers where the browser is sent. */
export async function visit(url) {
  console.log(`visit ${url}`);
  const { value } = await lines.next();
  return new URL(value);
}

/** An order to the org that no real org takes. */
export async function admin(path) {
  const answer = await fetch(`${process.env.ADMIN_URL}${path}`, { method: "POST" });
  holds(answer.ok, `${path} to succeed`);
}

class Unexpected extends Error {}

export function equal(found, expected, what = "the answer") {
  if (!isDeepStrictEqual(found, expected)) {
    throw new Unexpected(`${what}: expected ${inspect(expected)}, found ${inspect(found)}`);
  }
}

export function holds(condition, expected) {
  if (!condition) throw new Unexpected(`expected ${expected}`);
}

/**
 * Expects the client's error of this name and code, and returns it. `fields` and `message`, if given, are the ones of the
 * single error that Salesforce sent.
 */
export async function refused(call, code, { fields, message } = {}) {
  let found;
  try {
    found = await call();
  } catch (error) {
    if (error.errorCode !== code) {
      throw new Unexpected(`expected ${code}, found ${inspect(error)}`);
    }
    equal(error.name, code, "the error's name");
    if (fields !== undefined) equal(error.data.fields, fields, `the fields of ${code}`);
    if (message !== undefined) equal(error.message, message, `the message of ${code}`);
    return error;
  }
  throw new Unexpected(`expected ${code}, found a response: ${inspect(found)}`);
}

/** Expects an error of an OAuth endpoint, which the client names after `error`. */
export async function refusedToken(call, name, message) {
  let found;
  try {
    found = await call();
  } catch (error) {
    equal([error.name, error.message], [name, message], "the OAuth error");
    return;
  }
  throw new Unexpected(`expected ${name}, found a response: ${inspect(found)}`);
}

let failed = 0;

/** Runs a check. One that fails does not keep the others from running. */
export async function check(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}: ${error instanceof Unexpected ? error.message : inspect(error)}`);
  }
}

export function finish() {
  process.exit(failed === 0 ? 0 : 1);
}
