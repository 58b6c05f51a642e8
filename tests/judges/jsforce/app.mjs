// The app that the checks use, its connection, and the records they created.

import { createRequire } from "node:module";

import { BASE_URL, equal, visit } from "./judge.mjs";

// Packages are installed in the working directory, outside the sources.
export const { Connection, OAuth2 } = createRequire(`${process.cwd()}/`)("jsforce");

export const VERSION = "67.0";

export const app = {
  loginUrl: BASE_URL,
  clientId: process.env.CLIENT_ID,
  clientSecret: process.env.CLIENT_SECRET,
  redirectUri: process.env.REDIRECT_URI,
  useVerifier: true,
};

/** The app in the org whose refresh tokens rotate. */
export const rotatingApp = {
  loginUrl: process.env.ROTATING_BASE_URL,
  clientId: process.env.ROTATING_CLIENT_ID,
  clientSecret: process.env.ROTATING_CLIENT_SECRET,
  redirectUri: process.env.ROTATING_REDIRECT_URI,
  useVerifier: true,
};

/** Walks the pages as jsforce's users do: its address, with PKCE, of which it names no method. */
export async function authorize(oauth2) {
  const back = await visit(oauth2.getAuthorizationUrl({ scope: "api refresh_token id", state: "st/ate==" }));
  equal(back.searchParams.get("state"), "st/ate==", "the state");
  return back.searchParams.get("code");
}

export async function connect(to = app) {
  const oauth2 = new OAuth2(to);
  const conn = new Connection({ oauth2, version: VERSION });
  await conn.authorize(await authorize(oauth2));
  return conn;
}

export const conn = await connect();
export const leads = conn.sobject("Lead");
export const made = {};

export const lead = (name, more = {}) => ({ LastName: name, Company: `${name} 株式会社`, ...more });
