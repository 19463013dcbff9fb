/** OTLP over TLS, HTTP and gRPC, with a certificate made for the test. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as https from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { needs } from "../needs.ts";
import { exportRequest, grpcReceiver, httpReceiver } from "../support/otlp-receiver.ts";
import { tempFolder } from "../support/temp-folder.ts";

const skip = needs("openssl");

function certificate(): { readonly cert: Buffer; readonly key: Buffer } {
  const folder = tempFolder("tls");
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const args = ["req", "-x509", ...algorithm, "-days", "1", "-keyout", key, "-out", cert];
  execFileSync("openssl", [...args, ...subject], { stdio: "ignore" });
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

test("HTTP over TLS: spans arrive, plain text does not", { skip }, async (t) => {
  const tls = certificate();
  const receiver = await httpReceiver(t, { tls });
  const { port } = receiver.server;
  const status = await new Promise((resolve, reject) => {
    const headers = { "content-type": "application/x-protobuf" };
    const options = { host: "127.0.0.1", servername: "localhost", port, path: "/v1/traces" };
    const request = https.request({ ...options, method: "POST", headers, ca: tls.cert });
    request.on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
    request.end(exportRequest(5));
  });
  assert.equal(status, 200);
  assert.equal(receiver.sink.spanCount, 5);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/v1/traces`));
});

test("gRPC over TLS: spans arrive", { skip }, async (t) => {
  const tls = certificate();
  const receiver = await grpcReceiver(t, { tls });
  const credentials = grpc.credentials.createSsl(tls.cert);
  const client = new grpc.Client(`127.0.0.1:${receiver.server.port}`, credentials, {
    "grpc.ssl_target_name_override": "localhost",
  });
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  await new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, exportRequest(5), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  assert.equal(receiver.sink.spanCount, 5);
});
