// Every limit of the client with its reason; here and not in core, for this is published by itself.

/** The largest UDP packet agents read; a bigger datagram is cut and then refused as a whole. */
export const UDP_PACKET_BYTES = 65_000;

/** One HTTP request's body: some 700 spans, so that a request's cost is spread thin. */
export const HTTP_BATCH_BYTES = 256 * 1024;

/** One request of a page: so small that browsers still send it when the page goes away. */
export const PAGE_BATCH_BYTES = 56 * 1024;

/** One span: more than this is a mistake, and no collector's default takes it. */
export const SPAN_BYTES = 2 * 1024 * 1024;

/** Finished spans that are encoded together: the first of them warms the caches for the others. */
export const SPANS_TOGETHER = 16;

/** Encoded spans waiting for a collector that does not answer; newer ones are dropped beyond it. */
export const QUEUE_BYTES = 8 * 1024 * 1024;

/** Attempts for one HTTP batch: some four minutes with backoff, then it makes room. */
export const SEND_ATTEMPTS = 8;

/** Packets handed to the socket and not yet taken by the kernel. */
export const UDP_PACKETS_IN_FLIGHT = 64;

/** Buffers kept for reuse once the queue has drained. */
export const SPARE_BUFFERS = 4;

/** Characters of a text value or bytes of a binary one; no UDP packet could carry a longer one. */
export const TAG_VALUE_LENGTH = 64 * 1024;

/** Tags a span keeps; a loop that tags without end is a bug that must not take the process down. */
export const TAGS_PER_SPAN = 1_024;

/** Logs a span keeps: the first half and a ring of the newest, with one log that tells the gap. */
export const LOGS_PER_SPAN = 1_024;

/** Bytes of one baggage value, as Jaeger's clients cut it. */
export const BAGGAGE_VALUE_LENGTH = 2_048;

/** Entries and characters of one context's baggage: W3C Baggage names 180 and 8,192. */
export const BAGGAGE_ITEMS = 180;
export const BAGGAGE_LENGTH = 8_192;

/** Characters of one propagation header that are looked at; longer ones are hostile. */
export const HEADER_LENGTH = 16_384;

/** Headers of a request that may be baggage and are looked at: Node itself takes 2,000 in all. */
export const BAGGAGE_HEADERS = 2_000;

/** Baggage keys whose normalised form is remembered. */
export const BAGGAGE_KEYS_CACHED = 100;

/** Operations with a sampler of their own, as Jaeger's clients bound them. */
export const SAMPLED_OPERATIONS = 2_000;

/** Operations whose debug credits are kept. */
export const THROTTLED_OPERATIONS = 200;

/** An answer of the sampling, throttling or baggage server; longer ones are cut off as errors. */
export const CONTROL_RESPONSE_BYTES = 8 * 1024 * 1024;

/** Baggage keys a restriction server may name. */
export const BAGGAGE_KEYS_RESTRICTED = 10_000;

/** Operations with RPC metrics of their own, as in Jaeger's Go client; the others share one. */
export const MEASURED_ENDPOINTS = 200;
