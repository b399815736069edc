// One session of basic-ftp over TLS: stores files, lists, fetches them as got-NAME, lists again.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { argv, env, stderr, stdout } from "node:process";

const [host, port, user, authority, version, , passive, ...names] = argv.slice(2);
const { Client, enterPassiveModeIPv4, enterPassiveModeIPv6 } = createRequire(`${env.SAFETP_BUILDS}/`)("basic-ftp");

const client = new Client(20_000);
client.ftp.log = (line) => stderr.write(`${line.trimEnd()}\n`);
client.prepareTransfer = passive === "EPSV" ? enterPassiveModeIPv6 : enterPassiveModeIPv4;

async function list() {
    for (const file of await client.list()) {
        stdout.write(`${file.name} ${file.size}\n`);
    }
}

await client.access({
    host,
    port: Number(port),
    user,
    password: env.SAFETP_PASSWORD,
    secure: true,
    secureOptions: { ca: readFileSync(authority), minVersion: `TLSv${version}`, maxVersion: `TLSv${version}` },
});
for (const name of names) {
    await client.uploadFrom(name, name);
}
await list();
for (const name of names) {
    await client.downloadTo(`got-${name}`, name);
}
await list();
await client.send("QUIT");
client.close();
