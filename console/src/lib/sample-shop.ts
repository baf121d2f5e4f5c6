// A sample shop: customers, what they ordered in the year before a day, and the pipeline that sums it up.

const FOLDER = "sample";
const CUSTOMERS = 500;
const ORDERS = 10_000;
const DAYS = 365;
const DAY_MS = 86_400_000;
const COUNTRIES = ["Czechia", "France", "Germany", "Norway", "Poland", "Spain", "Sweden"] as const;
const FIRST = ["Ada", "Bo", "Clara", "David", "Ewa", "Filip", "Greta", "Hugo", "Ines", "Jan"] as const;
const LAST = ["Berg", "Costa", "Dubois", "Hansen", "Kowal", "Lind", "Novak", "Roth"] as const;
const STATUSES = ["paid", "paid", "paid", "shipped", "shipped", "shipped", "shipped", "cancelled"] as const;

const TEXT = `# A sample: what a shop sold in each country and month, and who bought most.
name: sample-shop

blocks:
  customers: {extract: files/${FOLDER}/customers.csv}

  orders:
    extract: files/${FOLDER}/orders.csv
    types: {amount: "decimal(10,2)"}
    where: "status <> 'cancelled'"

  revenue:
    sql: |
      select c.country,
             cast(date_trunc('month', o.ordered_at) as date) as month,
             count(*) as orders,
             cast(sum(o.amount) as decimal(14, 2)) as revenue
      from orders o
      join customers c on c.id = o.customer_id
      group by 1, 2
      order by 1, 2

  best_customers:
    sql: |
      select c.id, c.name, c.country, count(*) as orders, cast(sum(o.amount) as decimal(14, 2)) as revenue
      from orders o
      join customers c on c.id = o.customer_id
      group by 1, 2, 3
      order by revenue desc, c.id
      limit 20

  checks:
    test: revenue
    unique: [[country, month]]
    not_null: [country, month, revenue]
    accepted_values:
      country: [${COUNTRIES.join(", ")}]
    rows: "> 0"

  by_month: {load: revenue, to: files/${FOLDER}/revenue.parquet}
  best: {load: best_customers, to: files/${FOLDER}/best_customers.csv}
`;

interface Sample {
  /** The pipeline's file. */
  text: string;
  folder: string;
  files: readonly { name: string; text: string }[];
}

/** The same for the same day. */
export function sampleShop(today: Date): Sample {
  const random = randoms(20_261_123);
  const pick = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const midnight = Math.floor(today.getTime() / DAY_MS) * DAY_MS;
  const customers = Array.from(
    { length: CUSTOMERS },
    (_, at) => `${at + 1},${pick(FIRST)} ${pick(LAST)},${pick(COUNTRIES)}`,
  );
  const orders = Array.from({ length: ORDERS }, (_, at) => {
    const orderedAt = new Date(
      midnight - DAYS * DAY_MS + Math.floor(((at + random()) / ORDERS) * DAYS) * DAY_MS,
    );
    // Some customers buy far more than others.
    const customer = 1 + Math.floor(random() ** 2 * CUSTOMERS);
    const amount = (5 + random() ** 3 * 495).toFixed(2);
    return `${at + 1},${customer},${orderedAt.toISOString().slice(0, 10)},${amount},${pick(STATUSES)}`;
  });
  const csv = (head: string, rows: readonly string[]) => `${[head, ...rows].join("\n")}\n`;
  return {
    text: TEXT,
    folder: FOLDER,
    files: [
      { name: "customers.csv", text: csv("id,name,country", customers) },
      { name: "orders.csv", text: csv("id,customer_id,ordered_at,amount,status", orders) },
    ],
  };
}

/** Numbers from 0 up to 1 that look random, always the same ones (mulberry32). */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
