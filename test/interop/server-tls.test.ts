/** TLS by flags, at every door: certificates, client authorities, renewal, what is refused. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as tls from "node:tls";
import { needs } from "../needs.ts";
import { eventually } from "../support/patience.ts";
import { portOf, runAllInOne } from "../support/running-roles.ts";
import { tempFolder } from "../support/temp-folder.ts";
import type { RunningRole } from "../../src/run/role.ts";

const skip = needs("openssl");

const DOORS = [
  ["admin", "admin.http"],
  ["query", "query.http"],
  ["jaegerHttp", "collector.http"],
  ["jaegerGrpc", "collector.grpc"],
  ["otlpHttp", "collector.otlp.http"],
  ["otlpGrpc", "collector.otlp.grpc"],
  ["zipkin", "collector.zipkin"],
] as const;

function folderFor(): string {
  const folder = tempFolder("tls");
  return folder;
}

/** Makes NAME.pem and NAME.key, signed by themselves. */
function makeCertificate(folder: string, name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const args = ["req", "-x509", ...algorithm, "-days", "1", "-keyout", key, "-out", cert];
  execFileSync("openssl", [...args, ...subject], { stdio: "ignore" });
  return { cert, key };
}

function flagsOf(prefix: string, { cert, key }: { cert: string; key: string }): string[] {
  const name = `--${prefix}.tls`;
  return [`${name}.enabled`, `${name}.cert=${cert}`, `${name}.key=${key}`];
}

interface Shaken {
  readonly fingerprint: string;
  readonly version: string | null;
  readonly cipher: string;
}

/** Shakes hands with a server whose authority is the given certificate; rejects when it fails. */
function handshake(
  role: RunningRole,
  server: keyof RunningRole["servers"],
  ca: string,
  options: tls.ConnectionOptions = {},
): Promise<Shaken> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host: "127.0.0.1",
      port: portOf(role, server),
      servername: "localhost",
      ca: readFileSync(ca),
      ALPNProtocols: ["h2", "http/1.1"],
      ...options,
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed")));
    socket.on("secureConnect", () => {
      const fingerprint = socket.getPeerCertificate().fingerprint256;
      const cipher = socket.getCipher().name;
      const shaken = { fingerprint, version: socket.getProtocol(), cipher };
      // A server that refuses the client's certificate says so after the client's handshake.
      socket.write("GET / HTTP/1.0\r\n\r\n");
      socket.on("data", () => {
        resolve(shaken);
        socket.destroy();
      });
    });
  });
}

test("every door speaks TLS when its flags say so", { skip }, async (t) => {
  const pair = makeCertificate(folderFor(), "a");
  const role = await runAllInOne(
    t,
    DOORS.flatMap(([, prefix]) => flagsOf(prefix, pair)),
  );
  for (const [server] of DOORS) {
    const { version } = await handshake(role, server, pair.cert);
    assert.equal(version, "TLSv1.3", server);
    await assert.rejects(fetch(`http://127.0.0.1:${portOf(role, server)}/`), server);
  }
});

test("versions, cipher suites and clients' authorities are the flags'", { skip }, async (t) => {
  const folder = folderFor();
  const pair = makeCertificate(folder, "server");
  const client = makeCertificate(folder, "client");
  const name = "--collector.http.tls";
  const role = await runAllInOne(t, [
    ...flagsOf("collector.http", pair),
    `${name}.client-ca=${client.cert}`,
    `${name}.max-version=1.2`,
    `${name}.cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384`,
  ]);
  const own = { cert: readFileSync(client.cert), key: readFileSync(client.key) };
  const shaken = await handshake(role, "jaegerHttp", pair.cert, own);
  assert.deepEqual([shaken.version, shaken.cipher], ["TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"]);
  await assert.rejects(handshake(role, "jaegerHttp", pair.cert));
  const other = makeCertificate(folder, "other");
  const wrong = { cert: readFileSync(other.cert), key: readFileSync(other.key) };
  await assert.rejects(handshake(role, "jaegerHttp", pair.cert, wrong));
});

test(
  "a new certificate is taken while serving; a broken one is not, and health says so",
  { skip },
  async (t) => {
    const folder = folderFor();
    const pair = makeCertificate(folder, "live");
    const next = makeCertificate(folder, "next");
    const role = await runAllInOne(t, [
      ...flagsOf("collector.grpc", pair),
      ...flagsOf("collector.zipkin", pair),
      "--collector.grpc.tls.reload-interval=20ms",
      "--collector.zipkin.tls.reload-interval=20ms",
    ]);
    const any = { rejectUnauthorized: false };
    const before = await handshake(role, "jaegerGrpc", pair.cert);
    const health = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${portOf(role, "admin")}/`)).text();
    writeFileSync(pair.cert, "no certificate");
    await eventually("health tells", async () =>
      /certificate of collector\.grpc is not renewed/.test(await health()) ? true : undefined,
    );
    const still = await handshake(role, "jaegerGrpc", next.cert, any);
    assert.equal(still.fingerprint, before.fingerprint);
    renameSync(next.key, pair.key);
    renameSync(next.cert, pair.cert);
    for (const server of ["jaegerGrpc", "zipkin"] as const) {
      await eventually(`${server} has the new certificate`, async () => {
        const { fingerprint } = await handshake(role, server, pair.cert, any);
        return fingerprint === before.fingerprint ? undefined : true;
      });
    }
    assert.doesNotMatch(await health(), /not renewed/);
  },
);

test("what makes no sense ends the start with a line that says why", { skip }, async (t) => {
  const folder = folderFor();
  const pair = makeCertificate(folder, "a");
  const on = flagsOf("collector.http", pair);
  const cases: [string[], RegExp][] = [
    [
      [`--collector.http.tls.cert=${pair.cert}`],
      /collector\.http\.tls\.\* options cannot be used when collector\.http\.tls\.enabled is false/,
    ],
    [["--collector.http.tls.enabled"], /needs --collector\.http\.tls\.cert and/],
    [[...on, "--collector.http.tls.key=/nowhere"], /--collector\.http\.tls\.key: ENOENT/],
    [[...on, `--collector.http.tls.key=${pair.cert}`], /--collector\.http\.tls\.\*: /],
    [[...on, "--collector.http.tls.cipher-suites=ROT13"], /"ROT13" is no cipher suite/],
  ];
  for (const [args, text] of cases) await assert.rejects(runAllInOne(t, args), text);
});
