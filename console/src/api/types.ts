// Names of what the API sends and takes, from its description.
import type { components } from "./schema.gen";

/** `Schemas["RunItem"]` and so on. */
export type Schemas = components["schemas"];
