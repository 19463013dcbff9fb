/** Every limit of queues, caches, retries and inputs, with its reason. Some have flags. */

/** Units are in the names. Flags that change one are listed in docs/config.md. */
export const LIMITS = {
  /** One request as sent: OTLP exporters send up to 512 spans; 64 MiB leaves hundredfold room. */
  requestBytes: 64 * 1024 * 1024,
  /** The operator's UI configuration: it is sent with every page. */
  uiConfigBytes: 1024 * 1024,
  /** How long a UI configuration is used before its file is read again, as in Jaeger. */
  uiConfigAgeMs: 10_000,
  /** Files of the UI kept in memory: ours are 1 MB, Jaeger's 10. */
  uiFileBytes: 32 * 1024 * 1024,
  /** One request inflated: a gzip bomb stops here. */
  inflatedBytes: 128 * 1024 * 1024,
  /** Segments with footer (56 KiB) and file open at once: 134 M spans; more are read again. */
  openSegments: 1024,
  /** Request line and headers: a search for 5,000 traces by id fits (Go allows 1 MiB). */
  headerBytes: 256 * 1024,
  /** Bodies held at once by one server, as sent: beyond it senders are told to wait. */
  bodyBudgetBytes: 256 * 1024 * 1024,
  /** Buffers of past bodies kept for the next ones, a server. */
  freeBodyBytes: 8 * 1024 * 1024,
  /** A request must arrive whole within this: 64 MiB at 9 Mbit/s; slower ones are cut (408). */
  requestReceiveMs: 60_000,
  /** Idle connections are kept this long: exporters send every 5 s. */
  keepAliveMs: 75_000,
  /** How long a refused sender may go on sending before its connection is cut. */
  lingerMs: 1000,
  /** A client that reads nothing of a streamed answer for this long is cut. */
  answerStallMs: 60_000,
  /** How long running requests may take to finish when a server closes. */
  drainMs: 10_000,
  /** gRPC's default message size is 4 MiB; exporters of big traces need more. */
  grpcMessageBytes: 64 * 1024 * 1024,
  /** What a gRPC client may send unread in a stream: a few usual requests. */
  grpcWindowBytes: 4 * 1024 * 1024,
  /** And in a connection: HTTP/2 tells of half of it at a time, and 50 ms away that is 160 MB/s. */
  grpcConnectionWindowBytes: 16 * 1024 * 1024,
  /** Calls one gRPC connection may have open. */
  grpcStreams: 256,
  /** A gRPC server we call must accept the connection and say so within this. */
  grpcConnectMs: 10_000,
  /** The kernel asks an idle peer this often whether it is there. */
  grpcKeepAliveMs: 30_000,
  /** After a call without an answer a ping must be answered within this. */
  grpcPingMs: 5000,
  /** Longest wait between attempts to reach a gRPC server: a restart is noticed within it. */
  grpcBackoffMs: 5000,
  /** Names of gRPC servers are looked up again this often: servers come and go. */
  grpcResolveMs: 30_000,
  /** And at most this often when connections are lost. */
  grpcResolveAgainMs: 1000,
  /** Answers to our gRPC calls: sampling strategies of some thousand operations fit. */
  grpcReplyBytes: 4 * 1024 * 1024,
  /** A collector must take a call within this: its fsync stalls for 0.4 s at times. */
  deliveryMs: 10_000,
  /** Calls under way at once, to all collectors, of little: more only make them smaller. */
  deliveryCalls: 4,
  /** And while as much waits as fills another: 100,000 spans/s to a collector 50 ms away. */
  deliveryFullCalls: 32,
  /** One call is filled up to this with what waits: Jaeger's queue has room for 2,000 spans. */
  deliveryCallBytes: 256 * 1024,
  /** Connections lost under one call before its spans are given up: they may be the cause. */
  deliveryLosses: 20,
  /** First and longest wait before a call that was refused is made again. */
  deliveryRetryMs: 1000,
  deliveryRetryMostMs: 10_000,
  /** What the kernel is asked to hold for a socket: net.core.rmem_max often allows less. */
  udpReceiveBufferBytes: 4 * 1024 * 1024,
  /** Datagrams of one socket that wait to be decoded, in bytes: 70 ms of 100,000 spans/s. */
  udpQueueBytes: 4 * 1024 * 1024,
  /** Decoding goes on this long before the socket is read again: the kernel holds a few ms. */
  udpSliceMs: 2,
  /** Messages by UDP become one batch for so long: a batch costs as much as fifty spans in it. */
  udpBatchMs: 20,
  /** And up to so many of their bytes: 800 spans. */
  udpBatchBytes: 512 * 1024,
  /** Jaeger clients whose losses are followed; beyond it the one silent longest is forgotten. */
  udpClients: 10_000,
  /** A client silent for so long is forgotten, as in Jaeger. */
  udpClientMs: 3_600_000,
  /** How often silent clients are looked for. */
  udpClientSweepMs: 900_000,
  /** A collector must tell a strategy within this: clients wait some seconds for it. */
  samplingCallMs: 3000,
  /** An agent tells a strategy again without asking for so long: clients ask each minute. */
  samplingFreshMs: 10_000,
  /** And while no collector can be asked, the last one for so long. */
  samplingStaleMs: 3_600_000,
  /** Services whose strategies an agent keeps: those of one machine. */
  samplingServices: 2000,
  /** A file of baggage restrictions. */
  baggageFileBytes: 1024 * 1024,
  /** Spans in one request; beyond it the request is refused whole (413 / INVALID_ARGUMENT). */
  requestSpans: 250_000,
  /** Attributes of one span, event, link, resource or scope; later ones are counted dropped. */
  attributesPerOwner: 1024,
  /** Bytes of one attribute value; longer ones are cut and the span says so. */
  attributeValueBytes: 256 * 1024,
  /** Bytes of a key or name; longer ones are cut and the span says so. */
  nameBytes: 16 * 1024,
  /** Events of one span; later ones are counted dropped. */
  eventsPerSpan: 4096,
  /** Links of one span; later ones are counted dropped. */
  linksPerSpan: 4096,
  /** Nesting of array and map values; deeper ones are malformed. */
  valueDepth: 32,
  /** Bytes of batches between receivers and store; beyond it senders are told to wait. */
  queueBytes: 64 * 1024 * 1024,
  /** Spans between receivers and store, whatever their size: as many as Jaeger's queue grows to. */
  queueSpans: 1_000_000,
  /** Batches between them, whatever their size. */
  queueBatches: 4096,
  /** Batches written to the store at once, as in Jaeger; each waits for the store to be durable. */
  queueWorkers: 50,
  /** What overloaded senders are told to wait. */
  retryAfterMs: 1000,
  /** Traces one search page may hold. */
  findTraces: 10_000,
  /** Distinct traces that a total counts exactly. */
  findDistinctTraces: 1_000_000,
  /** Seen traces a cursor remembers exactly; older ones are told by their match alone. */
  cursorTraces: 500,
  /** Spans in one batch of `get`; larger traces come in several. */
  getSpansPerBatch: 65_536,
  /** A query that runs longer ends with an error that says so. */
  queryDeadlineMs: 30_000,
  /** Opened traces kept for questions about their rows: a million spans of ten attributes fit. */
  openTracesBytes: 512 * 1024 * 1024,
  /** Opened traces kept, whatever their size. */
  openTraces: 64,
  /** An opened trace that nobody asks about is kept this long: a person reads, then clicks. */
  openTraceIdleMs: 120_000,
  /** Rows of one question for details: a screen shows some sixty. */
  detailRows: 1000,
  /** Length of a text to be found in a trace. */
  findTextBytes: 4096,
  /** Terms in it: each is looked for in every text of the trace. */
  findTerms: 64,
  /** One stored view of a page: ten thousand folds are 53 kB. */
  viewBytes: 64 * 1024,
  /** Views kept; beyond it the oldest go. All of this size would be 128 MB. */
  views: 2000,
  /** A link in a ticket is looked for this long, and no longer: 400 days. */
  viewAgeMs: 400 * 86_400_000,
  /** Spans counted that came after a trace was opened; then the count says "at least". */
  lateSpans: 100_000,
  /** Spans told that link to a span: a list longer than this is found by its links. */
  linkedFrom: 50,
  /** Keys of a trace that are told: a list longer than this is searched by typing. */
  rowKeys: 1000,
  /** Values told apart when a trace is coloured by an attribute: more hues look alike. */
  rowValues: 10,
  /** Characters of one of them. */
  rowValueBytes: 256,
  /** Different values counted to find those; later ones are among the others. */
  rowValuesRead: 100_000,
  /** Length of a regular expression. */
  regexBytes: 4096,
  /** Leaves of one filter tree. */
  filterLeaves: 256,
  /** Nesting of one filter tree: evaluation recurses. */
  filterDepth: 64,
  /** Constants of all `in` leaves of one filter tree. */
  filterValues: 10_000,
  /** Distinct values an attribute-values answer may hold. */
  attributeValues: 10_000,
  /** A file of sampling strategies: some ten thousand services with their operations. */
  strategiesBytes: 4 * 1024 * 1024,
  /** Downloading one, as Jaeger has it. */
  strategiesDownloadMs: 1000,
  /** Distinct `svc` label values of Jaeger's metrics, then `other-services`. */
  serviceLabels: 4000,
  /** Attribute keys whose JSON is kept ready; applications have some hundreds. */
  jaegerKeys: 8192,
} as const;
