/** Jaeger's Thrift over HTTP: POST /api/traces, answered with the texts its clients know. */

import { Intake } from "../../core/intake.ts";
import type { DecodeRequest, IntakeOptions } from "../../core/intake.ts";
import type { HttpAnswer, HttpFailure, HttpRequest, HttpRoute } from "../../net/http-message.ts";
import { retryAfter } from "../../net/http-message.ts";
import { decodeJaegerThriftBatch } from "../../wire/jaeger-thrift-decode.ts";
import { parseMediaType } from "./media-type.ts";

const THRIFT_TYPES = ["application/x-thrift", "application/vnd.apache.thrift.binary"];
const TEXT = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
const HTML_ESCAPES: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  "'": "&#39;",
  '"': "&#34;",
};

/** The routes of the receiver, for a server that has others too. */
export function jaegerHttpRoutes(options: IntakeOptions): readonly HttpRoute[] {
  const intake = new Intake(options, { format: "jaeger", transport: "http" });
  const decode: DecodeRequest = (bytes, builder) =>
    decodeJaegerThriftBatch(bytes, "binary", { builder });
  return [
    {
      method: "POST",
      path: "/api/traces",
      handle: (request) => takeBatch(intake, decode, request),
      failure: (failure) => refuseBatch(intake, failure),
    },
  ];
}

async function takeBatch(
  intake: Intake,
  decode: DecodeRequest,
  request: HttpRequest,
): Promise<HttpAnswer> {
  const media = parseMediaType(request.headers["content-type"] ?? "");
  if ("error" in media) return refuseType(intake, `Cannot parse content type: ${media.error}`);
  if (!THRIFT_TYPES.includes(media.type)) {
    const type = media.type.replace(/[<>&'"]/g, (character) => HTML_ESCAPES[character]!);
    return refuseType(intake, `Unsupported content type: ${type}`);
  }
  const { message } = await intake.take(request.body, decode);
  return message === "" ? { status: 202 } : { status: 202, headers: TEXT, body: `${message}\n` };
}

function refuseType(intake: Intake, text: string): HttpAnswer {
  intake.count("content-type");
  return { status: 400, headers: TEXT, body: `${text}\n` };
}

/** What is wrong with the body is the sender's fault; the rest is that it cannot be kept now. */
function refuseBatch(intake: Intake, failure: HttpFailure): HttpAnswer {
  const { error, status } = failure;
  intake.count(status === 500 ? "fault" : error.code);
  const what = status < 500 ? "Unable to process request body" : "Cannot submit Jaeger batch";
  return {
    status,
    headers: { ...TEXT, ...retryAfter(failure) },
    body: `${what}: ${error.message}\n`,
  };
}
