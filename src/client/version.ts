// The version a tracer tells in its process tags; a test compares it with the published manifest.

export const VERSION = "0.1.0";
