// A token and a query with oauth4webapi (npm install oauth4webapi), in Node, Deno, Bun or a browser's worker.
//
//     node with_oauth4webapi.js CLIENT_FILE ['{ viewer { kind } }']

import { readFile } from "node:fs/promises";
import * as oauth from "oauth4webapi";

const [file = "", query = "{ viewer { kind clientId scopes } }"] = process.argv.slice(2);
const program = JSON.parse(await readFile(file, "utf8"));
const issuer = new URL(program.issuer);
const http = { [oauth.allowInsecureRequests]: issuer.protocol === "http:" }; // for a hub on this machine only

const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...http });
const server = await oauth.processDiscoveryResponse(issuer, found);
const client: oauth.Client = { client_id: program.client_id };
const curve = { name: "ECDSA", namedCurve: "P-256" };
const key = await crypto.subtle.importKey("jwk", program.jwk, curve, false, ["sign"]); // says who the program is
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair("ES256")); // to this key pair the token is bound

const answer = await oauth.clientCredentialsGrantRequest(
  server,
  client,
  oauth.PrivateKeyJwt({ key, kid: program.jwk.kid }),
  new URLSearchParams({ scope: "graphql:query", resource: program.resource }),
  { DPoP, ...http },
);
const token = await oauth.processClientCredentialsResponse(server, client, answer);

const response = await oauth.protectedResourceRequest(
  token.access_token,
  "POST",
  new URL(program.resource),
  new Headers({ "content-type": "application/json" }),
  JSON.stringify({ query }),
  { DPoP, ...http },
);
console.log(await response.text());
