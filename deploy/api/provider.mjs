// An OpenID Connect service for tests: people whose names are their passwords, and one client, which has to use PKCE.
//
//   node provider.mjs FOLDER PORT REDIRECT_URI       FOLDER has `oidc-provider` in its `node_modules`
const [folder, port, redirect] = process.argv.slice(2);
const { Provider } = await import(`${folder}/node_modules/oidc-provider/lib/index.js`);

const people = {
  ann: { email: "ann@example.com", email_verified: true, name: "Ann" },
  eve: { email: "ann@example.com", email_verified: false, name: "Eve" },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "flowetl", client_secret: "provider-secret", redirect_uris: [redirect] }],
  pkce: { required: () => true },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  findAccount: (_, id) => people[id] && { accountId: id, claims: async () => ({ sub: id, ...people[id] }) },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
