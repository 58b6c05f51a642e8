// Versions, grants and sessions.

import { app, authorize, conn, connect, Connection, lead, OAuth2, rotatingApp, VERSION } from "./app.mjs";
import { admin, BASE_URL, check, equal, holds, refused, refusedToken } from "./judge.mjs";

await check("versions: the list needs no token", async () => {
  const versions = await new Connection({ instanceUrl: BASE_URL }).request("/services/data");
  const newest = versions.at(-1);
  equal(newest.url, `/services/data/v${newest.version}`, "the newest version's path");
  holds(versions.some((one) => one.version === VERSION), `version ${VERSION}`);
});

await check("versions: an unknown version is not found", async () => {
  const unknown = new Connection({ instanceUrl: BASE_URL, accessToken: conn.accessToken, version: "99.0" });
  await refused(() => unknown.describe("Lead"), "NOT_FOUND", { message: "The requested resource does not exist" });
});

await check("code grant: a code can be exchanged once", async () => {
  const oauth2 = new OAuth2(app);
  const code = await authorize(oauth2);
  const bought = await oauth2.requestToken(code);
  equal([bought.token_type, bought.instance_url], ["Bearer", BASE_URL]);
  holds(bought.refresh_token && bought.id.startsWith(`${BASE_URL}/id/00D`), "a refresh token and an identity");
  holds(/^\d+$/.test(bought.issued_at), "the time of issue in milliseconds, as a string");
  await refusedToken(() => oauth2.requestToken(code), "invalid_grant", "expired authorization code");
});

await check("code grant: a wrong verifier is rejected", async () => {
  const code = await authorize(new OAuth2(app));
  await refusedToken(() => new OAuth2(app).requestToken(code), "invalid_grant", "invalid code verifier");
});

await check("code grant: a wrong secret is rejected", async () => {
  const oauth2 = new OAuth2({ ...app, clientSecret: "wrong" });
  const code = await authorize(oauth2);
  await refusedToken(() => oauth2.requestToken(code), "invalid_client", "invalid client credentials");
});

await check("code grant: the client learns who connected", async () => {
  holds(conn.userInfo.organizationId.startsWith("00D") && conn.userInfo.id.startsWith("005"), "ids of org and user");
  equal(conn.instanceUrl, BASE_URL, "the instance");
});

await check("refresh grant: a new access token works", async () => {
  const fresh = await conn.oauth2.refreshToken(conn.refreshToken);
  holds(!("refresh_token" in fresh), "no refresh token where the app rotates none");
  const other = new Connection({ instanceUrl: fresh.instance_url, accessToken: fresh.access_token, version: VERSION });
  equal((await other.query("SELECT count() FROM Lead")).done, true);
});

await check("refresh grant: an unknown token is rejected", async () => {
  await refusedToken(
    () => conn.oauth2.refreshToken("5Aep861wrong"),
    "invalid_grant",
    "expired access/refresh token",
  );
});

await check("rotation: a refresh token works once, and reusing it ends the grant", async () => {
  const rotating = await connect(rotatingApp);
  const first = rotating.refreshToken;
  const rotated = [];
  rotating.on("refresh", (token, answer) => rotated.push(answer.refresh_token));
  rotating.accessToken = "00D000000000000!expired";
  equal((await rotating.query("SELECT count() FROM Lead")).done, true);
  const [second] = rotated;
  holds(second && second !== first, "another refresh token");
  const third = await rotating.oauth2.refreshToken(second);
  holds(third.refresh_token && ![first, second].includes(third.refresh_token), "yet another refresh token");
  const other = new Connection({ instanceUrl: third.instance_url, accessToken: third.access_token, version: VERSION });
  equal((await other.query("SELECT count() FROM Lead")).done, true);
  // The client keeps its first refresh token, so its users must take new ones from the event.
  equal(rotating.refreshToken, first);
  const message = "expired access/refresh token";
  await refusedToken(() => rotating.oauth2.refreshToken(first), "invalid_grant", message);
  await refused(() => other.query("SELECT count() FROM Lead"), "INVALID_SESSION_ID");
  await refusedToken(() => rotating.oauth2.refreshToken(third.refresh_token), "invalid_grant", message);
});

await check("expired session: the client reconnects automatically", async () => {
  const before = conn.accessToken;
  const refreshed = [];
  conn.on("refresh", (token, answer) => refreshed.push([token, answer.token_type]));
  await admin("/tokens/expire");
  // Concurrent calls hit the expired session and share one refresh.
  const counts = await Promise.all([1, 2, 3].map(() => conn.query("SELECT count() FROM Lead")));
  equal(counts.map((one) => one.done), [true, true, true]);
  equal(refreshed, [[conn.accessToken, "Bearer"]], "the refresh events");
  holds(conn.accessToken !== before, "another access token than the one that had expired");
  conn.removeAllListeners("refresh");
});

await check("expired session: without a way to reconnect it is an error", async () => {
  const bare = new Connection({ instanceUrl: BASE_URL, accessToken: "00D000000000000!expired", version: VERSION });
  const message = "Session expired or invalid";
  await refused(() => bare.query("SELECT Id FROM Lead"), "INVALID_SESSION_ID", { message });
  await refused(() => bare.create("Lead", lead("期限切れ")), "INVALID_SESSION_ID", { message });
});

await check("client credentials: a token without a person", async () => {
  const machine = new Connection({ oauth2: new OAuth2({ ...app, useVerifier: false }), version: VERSION });
  await machine.authorize({ grant_type: "client_credentials" });
  equal((await machine.query("SELECT count() FROM Lead")).done, true);
  equal(machine.refreshToken, undefined, "the refresh token");
});
