/** Sampling strategies for clients: over HTTP as collector and agent serve them, and gRPC. */

import type { Counter, CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import type { SamplingSource } from "../core/sampling.ts";
import { GRPC_STATUS } from "../net/grpc-status.ts";
import type { GrpcMethod } from "../net/grpc-status.ts";
import type { HttpAnswer, HttpRequest, HttpRoute } from "../net/http-message.ts";
import { encodeSamplingJson } from "../wire/sampling-json.ts";
import type { SamplingJsonForm } from "../wire/sampling-json.ts";
import { decodeSamplingRequest, encodeSamplingResponse } from "../wire/sampling-proto.ts";

/** The service's name, for health checks and reflection. */
const SAMPLING_SERVICE = "jaeger.api_v2.SamplingManager";

const TEXT = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
const HELP = "Requests for client configuration over HTTP, as Jaeger counts them.";

export interface SamplingApiOptions {
  readonly source: SamplingSource;
  readonly counters: CounterTable;
  /** First part of the metrics' names. */
  readonly program: "jaeger_collector" | "jaeger_agent";
}

/** `GET path?service=NAME`, answered with the strategy in the given form of JSON. */
export function samplingRoute(
  path: string,
  form: SamplingJsonForm,
  options: SamplingApiOptions,
): HttpRoute {
  const { counters, program, source } = options;
  const type = form === "names" ? "sampling" : "sampling-legacy";
  const served = counters.counter(`${program}_http_server_requests_total`, HELP, ["type"], [type]);
  const failures = (status: string, from: string): Counter =>
    counters.counter(
      `${program}_http_server_errors_total`,
      "Those that were answered with an error.",
      ["source", "status"],
      [from, status],
    );
  const bad = failures("4xx", "all");
  const unknown = failures("5xx", "collector-proxy");
  const unwritten = failures("5xx", form === "names" ? "proto" : "thrift");
  return {
    method: "GET",
    path,
    async handle(request: HttpRequest): Promise<HttpAnswer> {
      const services = new URLSearchParams(request.query).getAll("service");
      const [service] = services;
      if (service === undefined || services.length > 1) {
        bad.value++;
        return refusal(400, "'service' parameter must be provided once");
      }
      let strategy;
      try {
        strategy = await source.strategyOf(service, request.signal);
      } catch (error) {
        if (!(error instanceof SpoorError)) throw error;
        unknown.value++;
        return refusal(500, `collector error: ${error.message}`);
      }
      try {
        const body = encodeSamplingJson(strategy, form);
        served.value++;
        return { status: 200, headers: { "content-type": "application/json" }, body };
      } catch (error) {
        if (!(error instanceof SpoorError)) throw error;
        unwritten.value++;
        return refusal(500, "cannot marshall to JSON");
      }
    },
  };
}

function refusal(status: number, text: string): HttpAnswer {
  return { status, headers: TEXT, body: `${text}\n` };
}

/** SamplingManager/GetSamplingStrategy over gRPC. */
export function samplingMethods(source: SamplingSource): ReadonlyMap<string, GrpcMethod> {
  const get: GrpcMethod = {
    async handle(request) {
      return encodeSamplingResponse(await source.strategyOf(decodeSamplingRequest(request)));
    },
    failure(thrown) {
      const message = thrown instanceof SpoorError ? thrown.message : "internal error";
      return { code: GRPC_STATUS.INTERNAL, message };
    },
  };
  return new Map([[`/${SAMPLING_SERVICE}/GetSamplingStrategy`, get]]);
}
