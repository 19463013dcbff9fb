// Formats and references by name: opentracing has a module of them, which no bundler inlines.

export const FORMAT_BINARY = "binary";
export const FORMAT_TEXT_MAP = "text_map";
export const FORMAT_HTTP_HEADERS = "http_headers";
export const REFERENCE_CHILD_OF = "child_of";
export const REFERENCE_FOLLOWS_FROM = "follows_from";
