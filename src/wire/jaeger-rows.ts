/** Jaeger's spans as rows of a batch, from any bytes. Bench: bench/jaeger-decode.ts. */

import { utf8 } from "../base/bytes.ts";
import { grown } from "../core/attribute-table.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS, STATUS_CODE } from "../core/batch.ts";
import { NO_SERVICE_NAME } from "../core/builder.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import { REF_TYPE_ATTRIBUTE } from "../core/trace/references.ts";
import { SCOPE_PREFIX } from "./jaeger-json-keys.ts";
import { ROLE, roleOfKey } from "./jaeger-roles.ts";
import type { DecodeLimits } from "./otlp-decoded.ts";
import { WARNING } from "./otlp-warnings.ts";

const { STRING } = ATTRIBUTE_TYPE;
const MAX_U32 = 0xffff_ffff;
const KINDS = ["", "internal", "server", "client", "producer", "consumer"];

/** Types of references, numbered as Thrift and protobuf both do. */
export const REFERENCE = { CHILD_OF: 0, FOLLOWS_FROM: 1 } as const;

/** Jaeger's name of the process of spans that have none. */
const NULL_PROCESS = "null-process-and-service-name";

/**
 * Fills a builder from Jaeger's model. Tags that Jaeger writes for what is a column here (kind,
 * status, scope, trace state, parent) become that column only where encoding as Jaeger makes
 * exactly the same tags of it again; all others stay tags.
 *
 * Order of calls: `openProcess` and its tags; `openSpan`, then in any order `spanTag`,
 * `reference`, `openLog` + `logTag` + `closeLog`; `closeSpan`.
 */
export class JaegerRows {
  readonly #builder: BatchBuilder;
  readonly #limits: DecodeLimits;
  /** Spans closed, kept or not. */
  spanCount = 0;
  badTraceIds = 0;
  badSpanIds = 0;
  truncated = false;
  /** WARNING bits of the open process: every span of its has them too. */
  processWarnings = 0;
  #roles = new Uint8Array(256);
  #emptyScope = -1;
  readonly #scopes = new Map<string, number>();
  readonly #kindOfValue = new Map<number, number>();
  /** Of the open span: its row, tags held back until all are known, what did not fit. */
  #row = 0;
  #errorKey = -1;
  #statusKey = -1;
  #statusValue = 0;
  readonly #scopeTags: number[] = [];
  /** Numbers of it that are the open span's: emptying a list would make it anew for every span. */
  #scopeTagNumbers = 0;
  /** The scope of the span before and its tags: mostly the next one's too. */
  #lastScope = 0;
  #lastScopeTags: readonly number[] = [];
  #overAttributes = 0;
  #overEvents = 0;
  #overLinks = 0;
  /** References of the open span: 6 words each, the trace id's and the span id's. */
  #references = 0;
  #referenceWords = new Int32Array(6 * 4);
  #referenceTypes = new Uint8Array(4);
  /** Of the open log: its row, its fields named `event`, and the first of them that is a text. */
  #log = 0;
  #events = 0;
  #eventAt = -1;

  constructor(builder: BatchBuilder, limits: DecodeLimits) {
    this.#builder = builder;
    this.#limits = limits;
  }

  /** Opens the row of a process; its name may be told later. */
  openProcess(): number {
    this.processWarnings = 0;
    return this.#builder.addResource();
  }

  /** Gives the open process its name, a dictionary id. */
  serviceName(nameId: number): void {
    const builder = this.#builder;
    if (this.#text(nameId) === NO_SERVICE_NAME) return;
    const key = builder.key(builder.text("service.name"), STRING);
    builder.resourceAttributes.add(key, nameId);
  }

  /** Gives the open process the name Jaeger has for spans without a process. */
  noProcess(): void {
    this.serviceName(this.#builder.text(NULL_PROCESS));
  }

  /** A tag of the open process: key of the builder and value. */
  processTag(row: number, key: number, value: number): void {
    const builder = this.#builder;
    const table = builder.resourceAttributes;
    // A second service name has no place: the process has its own.
    const second = this.#roleOf(key) === ROLE.SERVICE;
    if (second || table.openCount >= this.#limits.attributesPerOwner) {
      builder.resourceDropped[row] = Math.min(builder.resourceDropped[row]! + 1, MAX_U32);
      if (!second) this.processWarnings |= WARNING.ATTRIBUTES_DROPPED;
      this.truncated = true;
      return;
    }
    table.add(key, value);
  }

  /** Opens a span's row; throws `too-large` beyond `requestSpans`. */
  openSpan(resource: number): number {
    if (++this.spanCount > this.#limits.requestSpans) {
      throw new SpoorError(
        "too-large",
        `more than ${this.#limits.requestSpans} spans in one request (requestSpans)`,
      );
    }
    if (this.#emptyScope === -1) this.#emptyScope = this.#builder.addScope();
    this.#errorKey = -1;
    this.#statusKey = -1;
    this.#scopeTagNumbers = 0;
    this.#overAttributes = 0;
    this.#overEvents = 0;
    this.#overLinks = 0;
    this.#references = 0;
    this.#row = this.#builder.addSpan(resource, this.#emptyScope);
    return this.#row;
  }

  /** A tag of the open span: key of the builder and value. */
  spanTag(key: number, value: number): void {
    const roles = this.#roles;
    const role = key < roles.length && roles[key] !== 0 ? roles[key]! : this.#roleOf(key);
    if (role !== ROLE.PLAIN && this.#column(role, key, value)) return;
    this.#addTag(key, value);
  }

  #addTag(key: number, value: number): void {
    const table = this.#builder.spanAttributes;
    if (table.openCount >= this.#limits.attributesPerOwner) this.#overAttributes++;
    else table.add(key, value);
  }

  /** Whether a tag with a meaning went into a column (or waits for `closeSpan`). */
  #column(role: number, key: number, value: number): boolean {
    const builder = this.#builder;
    const row = this.#row;
    switch (role) {
      case ROLE.KIND: {
        const kind = this.#kind(value);
        if (kind <= 0 || builder.kind[row] !== 0) return false;
        builder.kind[row] = kind;
        return true;
      }
      case ROLE.STATUS_CODE:
        if (this.#statusKey !== -1) return false;
        this.#statusKey = key;
        this.#statusValue = value;
        return true;
      case ROLE.ERROR:
        if (this.#errorKey !== -1 || value === 0) return false;
        this.#errorKey = key;
        return true;
      case ROLE.STATUS_MESSAGE:
        if (value === 0 || builder.statusMessageId[row] !== 0) return false;
        builder.statusMessageId[row] = value;
        return true;
      case ROLE.TRACE_STATE:
        if (value === 0 || builder.traceStateId[row] !== 0) return false;
        builder.traceStateId[row] = value;
        return true;
      case ROLE.SCOPE:
        if (this.#scopeTagNumbers >= 2 * this.#limits.attributesPerOwner) return false;
        this.#scopeTags[this.#scopeTagNumbers++] = key;
        this.#scopeTags[this.#scopeTagNumbers++] = value;
        return true;
      default:
        return false;
    }
  }

  #kind(value: number): number {
    let kind = this.#kindOfValue.get(value);
    if (kind === undefined) {
      kind = KINDS.indexOf(this.#text(value));
      this.#kindOfValue.set(value, kind);
    }
    return kind;
  }

  #text(id: number): string {
    const { bytes, offsets } = this.#builder.dictionary;
    return utf8(bytes.subarray(offsets[id]!, offsets[id + 1]!));
  }

  #roleOf(key: number): number {
    while (key >= this.#roles.length) this.#roles = grown(this.#roles);
    const known = this.#roles[key]!;
    if (known !== 0) return known;
    const role = roleOfKey(this.#builder, key);
    this.#roles[key] = role;
    return role;
  }

  /** A reference of the open span: words of its ids in the machine's byte order. */
  reference(type: number, t0: number, t1: number, t2: number, t3: number, s0: number, s1: number) {
    const r = this.#references;
    // The parent is a reference but no link.
    if (r > this.#limits.linksPerSpan) {
      this.#overLinks++;
      return;
    }
    this.#references = r + 1;
    if (r === this.#referenceTypes.length) {
      const words = this.#referenceWords;
      this.#referenceWords = new Int32Array(words.length * 2);
      this.#referenceWords.set(words);
      this.#referenceTypes = grown(this.#referenceTypes);
    }
    const words = this.#referenceWords;
    words[r * 6] = t0;
    words[r * 6 + 1] = t1;
    words[r * 6 + 2] = t2;
    words[r * 6 + 3] = t3;
    words[r * 6 + 4] = s0;
    words[r * 6 + 5] = s1;
    this.#referenceTypes[r] = type;
  }

  /** The parent as Thrift has it, after all references: first of them unless among them. */
  parent(s0: number, s1: number): void {
    const trace = this.#builder.traceIdWords;
    const words = this.#referenceWords;
    for (let r = 0; r < this.#references; r++) {
      if (words[r * 6 + 4] === s0 && words[r * 6 + 5] === s1 && this.#inTrace(r)) return;
    }
    if (this.#references === 0) {
      this.#builder.parentSpanIdWords[this.#row * 2] = s0;
      this.#builder.parentSpanIdWords[this.#row * 2 + 1] = s1;
      return;
    }
    const at = this.#row * 4;
    const count = this.#references;
    this.reference(0, trace[at]!, trace[at + 1]!, trace[at + 2]!, trace[at + 3]!, s0, s1);
    if (this.#references === count) return;
    // It was added last and belongs first.
    const own = this.#referenceWords.slice(count * 6, count * 6 + 6);
    this.#referenceWords.copyWithin(6, 0, count * 6);
    this.#referenceWords.set(own);
    this.#referenceTypes.copyWithin(1, 0, count);
    this.#referenceTypes[0] = REFERENCE.CHILD_OF;
  }

  /** Opens a log of the open span and returns its row, or -1 when there are too many. */
  openLog(): number {
    const builder = this.#builder;
    if (builder.eventCount - builder.eventOffsets[this.#row]! >= this.#limits.eventsPerSpan) {
      this.#overEvents++;
      this.#log = -1;
      return -1;
    }
    this.#events = 0;
    this.#eventAt = -1;
    this.#log = builder.addEvent(0, 0, 0);
    return this.#log;
  }

  /** A field of the open log: key of the builder and value. */
  logTag(key: number, value: number): void {
    const log = this.#log;
    if (log === -1) return;
    const builder = this.#builder;
    const table = builder.eventAttributes;
    if (table.openCount >= this.#limits.attributesPerOwner) {
      builder.eventDropped[log] = Math.min(builder.eventDropped[log]! + 1, MAX_U32);
      this.#overAttributes++;
      return;
    }
    const roles = this.#roles;
    const role = key < roles.length && roles[key] !== 0 ? roles[key]! : this.#roleOf(key);
    if (role === ROLE.EVENT) {
      this.#events++;
      const isName = builder.keyType[key] === STRING && value !== 0;
      if (isName && this.#eventAt === -1) this.#eventAt = table.count;
    }
    table.add(key, value);
  }

  /** The one field `event` becomes the name; where there are several they stay as they are. */
  closeLog(): void {
    const at = this.#eventAt;
    if (this.#log === -1 || at === -1) return;
    const builder = this.#builder;
    const table = builder.eventAttributes;
    builder.eventNameId[this.#log] = table.value[at]!;
    if (this.#events !== 1) return;
    const count = --table.count;
    for (let i = at; i < count; i++) {
      table.key[i] = table.key[i + 1]!;
      table.value[i] = table.value[i + 1]!;
    }
  }

  /**
   * Completes the open span once its ids are in the builder. WARNING bits of what was done to it
   * are returned; -1 when it was left out and counted because of its ids (`anyIds`: keep it).
   */
  closeSpan({ anyIds = false } = {}): number {
    const builder = this.#builder;
    const row = this.#row;
    const { traceIdWords: t, spanIdWords: s } = builder;
    const hasTrace = (t[row * 4]! | t[row * 4 + 1]! | t[row * 4 + 2]! | t[row * 4 + 3]!) !== 0;
    if (anyIds || (hasTrace && (s[row * 2]! | s[row * 2 + 1]!) !== 0)) {
      if (this.#errorKey !== -1 || this.#statusKey !== -1) this.#closeStatus();
      if (this.#scopeTagNumbers > 0) builder.scopeRow[row] = this.#scope();
      if (this.#references > 0) this.#closeReferences();
      return this.processWarnings | this.#closeCounts();
    }
    if (hasTrace) this.badSpanIds++;
    else this.badTraceIds++;
    builder.dropLastSpan();
    return -1;
  }

  #closeCounts(): number {
    const over = this.#overAttributes + this.#overEvents + this.#overLinks;
    if (over === 0) return 0;
    this.#builder.setDropped(this.#row, this.#overAttributes, this.#overEvents, this.#overLinks);
    let warnings = this.#overAttributes === 0 ? 0 : WARNING.ATTRIBUTES_DROPPED;
    if (this.#overEvents > 0) warnings |= WARNING.EVENTS_DROPPED;
    if (this.#overLinks > 0) warnings |= WARNING.LINKS_DROPPED;
    return warnings;
  }

  /** `error` is the status ERROR, with or without a code that says so; OK alone is OK. */
  #closeStatus(): void {
    const builder = this.#builder;
    const row = this.#row;
    const code = this.#statusKey === -1 ? "" : this.#text(this.#statusValue);
    let told = this.#statusKey === -1;
    if (this.#errorKey !== -1) {
      builder.status[row] = STATUS_CODE.ERROR;
      if (code === "ERROR") told = true;
      else builder.flags[row] = builder.flags[row]! | JAEGER_FLAGS.ERROR_TAG;
    } else if (code === "OK") {
      builder.status[row] = STATUS_CODE.OK;
      told = true;
    }
    if (!told) this.#addTag(this.#statusKey, this.#statusValue);
  }

  /** The row of the scope that the open span's tags tell of. */
  #scope(): number {
    const count = this.#scopeTagNumbers;
    if (sameNumbers(this.#scopeTags, count, this.#lastScopeTags)) return this.#lastScope;
    const tags = this.#scopeTags.slice(0, count);
    this.#lastScopeTags = tags;
    const id = tags.join();
    const known = this.#scopes.get(id);
    if (known !== undefined) {
      this.#lastScope = known;
      return known;
    }
    const builder = this.#builder;
    const scope = builder.addScope();
    for (let i = 0; i < tags.length; i += 2) {
      const key = tags[i]!;
      const value = tags[i + 1]!;
      const { bytes, offsets } = builder.dictionary;
      const at = offsets[builder.keyNameId[key]!]! + SCOPE_PREFIX.length;
      const name = bytes.slice(at, offsets[builder.keyNameId[key]! + 1]!);
      const isText = builder.keyType[key] === STRING && value !== 0;
      const column = isText ? utf8(name) : "";
      if (column === "name" && builder.scopeNameId[scope] === 0) {
        builder.scopeNameId[scope] = value;
      } else if (column === "version" && builder.scopeVersionId[scope] === 0) {
        builder.scopeVersionId[scope] = value;
      } else {
        builder.scopeAttributes.add(builder.key(builder.bytes(name), builder.keyType[key]!), value);
      }
    }
    this.#scopes.set(id, scope);
    this.#lastScope = scope;
    return scope;
  }

  /**
   * The first CHILD_OF into the trace is the parent, else the first reference into it; it comes
   * first, in place of what was there, as Jaeger shows it. The others become links.
   */
  #closeReferences(): void {
    const builder = this.#builder;
    const words = this.#referenceWords;
    const types = this.#referenceTypes;
    const count = this.#references;
    const parent = this.#parent();
    if (parent !== -1) {
      builder.parentSpanIdWords[this.#row * 2] = words[parent * 6 + 4]!;
      builder.parentSpanIdWords[this.#row * 2 + 1] = words[parent * 6 + 5]!;
    }
    const swapped = parent > 0 ? parent : 0;
    for (let i = 0; i < count; i++) {
      const r = i === 0 ? swapped : i === swapped ? 0 : i;
      if (r === parent && types[r] === REFERENCE.CHILD_OF && this.#isAlone(r)) continue;
      this.#link(r);
    }
  }

  #parent(): number {
    let follows = -1;
    for (let r = 0; r < this.#references; r++) {
      if (!this.#inTrace(r)) continue;
      if (this.#referenceTypes[r] === REFERENCE.CHILD_OF) return r;
      if (follows === -1) follows = r;
    }
    return follows;
  }

  #inTrace(r: number): boolean {
    const words = this.#referenceWords;
    const trace = this.#builder.traceIdWords;
    const at = this.#row * 4;
    return (
      words[r * 6] === trace[at] &&
      words[r * 6 + 1] === trace[at + 1] &&
      words[r * 6 + 2] === trace[at + 2] &&
      words[r * 6 + 3] === trace[at + 3]
    );
  }

  /** Whether the parent's span is a span and no other reference is to it. */
  #isAlone(parent: number): boolean {
    const words = this.#referenceWords;
    const s0 = words[parent * 6 + 4]!;
    const s1 = words[parent * 6 + 5]!;
    if ((s0 | s1) === 0) return false;
    for (let r = 0; r < this.#references; r++) {
      if (r === parent || !this.#inTrace(r)) continue;
      if (words[r * 6 + 4] === s0 && words[r * 6 + 5] === s1) return false;
    }
    return true;
  }

  #link(r: number): void {
    const builder = this.#builder;
    const link = builder.addLink();
    const words = this.#referenceWords;
    const bytes = new Uint8Array(words.buffer, r * 24, 24);
    for (let i = 0; i < 16; i++) builder.linkTraceId[link * 16 + i] = bytes[i]!;
    for (let i = 0; i < 8; i++) builder.linkSpanId[link * 8 + i] = bytes[16 + i]!;
    if (this.#referenceTypes[r] !== REFERENCE.CHILD_OF) return;
    // A link says FOLLOWS_FROM by itself; only the other type needs telling.
    const key = builder.key(builder.text(REF_TYPE_ATTRIBUTE), STRING);
    builder.linkAttributes.add(key, builder.text("child_of"));
  }
}

/** Whether the first `count` numbers of a list are all of another. */
function sameNumbers(a: readonly number[], count: number, b: readonly number[]): boolean {
  if (count !== b.length) return false;
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
  return true;
}
