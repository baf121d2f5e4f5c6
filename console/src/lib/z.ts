// Zod, which must not compile its checks while the page runs: the page's policy forbids that. It brings no words of its own.
import * as z from "zod/mini";

z.config({ jitless: true });

export { z };
