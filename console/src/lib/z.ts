// Zod, which must not compile its checks while the page runs: the page's policy forbids that.
import { z } from "zod";

z.config({ jitless: true });

export { z };
