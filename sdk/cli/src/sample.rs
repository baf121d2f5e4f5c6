//! The sample shop: the same made-up data every time, as a SQLite database, a CSV file and a Parquet file.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{ArrayRef, Date32Array, Decimal128Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use rusqlite::{Connection, Transaction, params};

const CUSTOMERS: u64 = 5_000;
const ORDERS: u64 = 40_000;
const ITEMS: usize = 100_000;
const PRODUCTS: u64 = 500;
/// From January 2024.
const MONTHS: u64 = 18;
/// 2024-01-01 in days since 1970.
const FIRST_DAY: i32 = 19_723;
const SECONDS: u64 = 546 * 86_400;

/// Country, currency, how much of it a euro is in ten-thousandths, and the country's weight among customers.
const COUNTRIES: [(&str, &str, u64, u64); 8] = [
    ("Poland", "PLN", 43_000, 24),
    ("Germany", "EUR", 10_000, 22),
    ("France", "EUR", 10_000, 15),
    ("Czechia", "CZK", 250_000, 11),
    ("Sweden", "SEK", 113_000, 9),
    ("United Kingdom", "GBP", 8_500, 9),
    ("Spain", "EUR", 10_000, 6),
    ("Norway", "NOK", 115_000, 4),
];
const CATEGORIES: [(&str, [&str; 5]); 6] = [
    ("Coffee", ["Espresso beans", "Filter roast", "Cold brew", "Decaf beans", "Ground coffee"]),
    ("Tea", ["Green tea", "Earl Grey", "Rooibos", "Chamomile", "Oolong"]),
    ("Machines", ["Espresso machine", "Grinder", "Kettle", "Milk frother", "Scale"]),
    ("Cups", ["Cup", "Mug", "Travel mug", "Glass", "Saucer"]),
    ("Sweets", ["Chocolate", "Biscuits", "Caramels", "Waffles", "Nougat"]),
    ("Books", ["Barista guide", "Tea atlas", "Recipe book", "Brewing notes", "Café guide"]),
];
const FIRST_NAMES: [&str; 12] =
    ["Anna", "Jan", "Zofia", "Lukas", "Marie", "Tomáš", "Freja", "Oliver", "Lucía", "Ingrid", "Émile", "Piotr"];
const LAST_NAMES: [&str; 12] = [
    "Nowak",
    "Müller",
    "Dubois",
    "Novák",
    "Andersson",
    "Smith",
    "García",
    "Hansen",
    "Wójcik",
    "Weber",
    "Laurent",
    "O'Brien",
];
const STATUSES: [(&str, u64); 4] = [("paid", 20), ("shipped", 65), ("returned", 5), ("cancelled", 10)];

/// Writes `shop.db`, `data/products.csv` and `data/exchange_rates.parquet` below `folder`, in place of what was there.
pub fn write(folder: &Path) -> Result<()> {
    let data = folder.join("data");
    fs::create_dir_all(&data).with_context(|| format!("cannot make the folder `{}`", data.display()))?;
    let costs = write_products(&data.join("products.csv"))?;
    write_rates(&data.join("exchange_rates.parquet"))?;
    write_shop(&folder.join("shop.db"), &costs)
}

/// A small generator of numbers that look random (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// The index of an item, each as often as its weight says.
    fn weighted(&mut self, weights: impl Iterator<Item = u64> + Clone) -> usize {
        let mut left = self.below(weights.clone().sum());
        for (index, weight) in weights.enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

/// Answers what each product costs, in cents.
fn write_products(path: &Path) -> Result<Vec<u64>> {
    let mut numbers = Numbers(1);
    let mut csv = String::from("id,name,category,cost\n");
    let mut costs = Vec::new();
    for id in 1..=PRODUCTS {
        let (category, names) = numbers.one_of(&CATEGORIES);
        let name = numbers.one_of(names);
        let cost = if *category == "Machines" { 2_000 + numbers.below(40_000) } else { 100 + numbers.below(2_400) };
        writeln!(csv, "{id},\"{name} no. {id}\",{category},{}.{:02}", cost / 100, cost % 100)?;
        costs.push(cost);
    }
    fs::write(path, csv).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(costs)
}

/// How much of each currency a euro was, a row a month.
fn write_rates(path: &Path) -> Result<()> {
    let mut numbers = Numbers(2);
    let (mut months, mut currencies, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for month in 0..MONTHS {
        let mut seen = Vec::new();
        for (_, currency, usual, _) in COUNTRIES {
            if seen.contains(&currency) {
                continue;
            }
            seen.push(currency);
            let drift = if currency == "EUR" { 1_000 } else { 970 + numbers.below(61) };
            months.push(first_of(month));
            currencies.push(currency);
            rates.push(i128::from(usual * drift / 1_000));
        }
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("month", Arc::new(Date32Array::from(months))),
        ("currency", Arc::new(StringArray::from(currencies))),
        ("per_euro", Arc::new(Decimal128Array::from(rates).with_precision_and_scale(10, 4)?)),
    ];
    let batch = RecordBatch::try_from_iter(columns)?;
    let file = File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

/// The first day of a month, counted from January 2024, in days since 1970.
fn first_of(month: u64) -> i32 {
    const DAYS: [i32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = (0..month as usize).map(|month| DAYS[month % 12] + i32::from(month == 1));
    FIRST_DAY + before.sum::<i32>()
}

fn write_shop(path: &Path, costs: &[u64]) -> Result<()> {
    if path.exists() {
        fs::remove_file(path).with_context(|| format!("cannot replace `{}`", path.display()))?;
    }
    let fails = || format!("cannot write `{}`", path.display());
    let mut shop = Connection::open(path).with_context(fails)?;
    // Readers and writers of a database with a write-ahead log do not wait for each other.
    shop.pragma_update(None, "journal_mode", "wal").with_context(fails)?;
    let transaction = shop.transaction().with_context(fails)?;
    fill(&transaction, costs).with_context(fails)?;
    transaction.commit().with_context(fails)
}

fn fill(shop: &Transaction<'_>, costs: &[u64]) -> Result<()> {
    shop.execute_batch(
        "create table customers (id integer primary key, name text not null, email text, country text not null, \
           joined_on date not null); \
         create table orders (id integer primary key, customer_id integer not null references customers (id), \
           ordered_at datetime not null, status text not null, currency text not null); \
         create table order_items (order_id integer not null references orders (id), line integer not null, \
           product_id integer not null, quantity integer not null, unit_price decimal(10,2) not null, \
           primary key (order_id, line));",
    )?;
    let mut numbers = Numbers(3);
    let mut insert = shop.prepare("insert into customers values (?1, ?2, ?3, ?4, date(?5, 'unixepoch'))")?;
    let mut homes = Vec::new();
    for id in 1..=CUSTOMERS {
        let home = numbers.weighted(COUNTRIES.iter().map(|country| country.3));
        let name = format!("{} {}", numbers.one_of(&FIRST_NAMES), numbers.one_of(&LAST_NAMES));
        let email = (numbers.below(20) > 0).then(|| format!("customer{id}@example.org"));
        let joined = i64::from(FIRST_DAY) * 86_400 - numbers.below(SECONDS) as i64;
        insert.execute(params![id as i64, name, email, COUNTRIES[home].0, joined])?;
        homes.push(home);
    }
    let mut insert = shop.prepare("insert into orders values (?1, ?2, datetime(?3, 'unixepoch'), ?4, ?5)")?;
    let mut order_homes = Vec::new();
    for id in 1..=ORDERS {
        // Some customers come much more often than others.
        let customer = numbers.below(CUSTOMERS).min(numbers.below(CUSTOMERS));
        let home = homes[customer as usize];
        let ordered = i64::from(FIRST_DAY) * 86_400 + numbers.below(SECONDS) as i64;
        let status = STATUSES[numbers.weighted(STATUSES.iter().map(|status| status.1))].0;
        insert.execute(params![id as i64, customer as i64 + 1, ordered, status, COUNTRIES[home].1])?;
        order_homes.push(home);
    }
    fill_items(shop, costs, &order_homes, &mut numbers)
}

/// Every order has an item; the others fall on orders by chance.
fn fill_items(shop: &Transaction<'_>, costs: &[u64], order_homes: &[usize], numbers: &mut Numbers) -> Result<()> {
    let mut counts = vec![1; order_homes.len()];
    for _ in order_homes.len()..ITEMS {
        counts[numbers.below(ORDERS) as usize] += 1;
    }
    let mut insert = shop.prepare("insert into order_items values (?1, ?2, ?3, ?4, ?5)")?;
    for (order, count) in counts.into_iter().enumerate() {
        for line in 1..=count {
            let product = numbers.below(PRODUCTS);
            let quantity = 1 + numbers.below(4).min(numbers.below(4));
            let euro_cents = costs[product as usize] * (125 + numbers.below(60)) / 100;
            let cents = euro_cents * COUNTRIES[order_homes[order]].2 / 10_000;
            let price = cents as f64 / 100.0;
            insert.execute(params![order as i64 + 1, line, product as i64 + 1, quantity as i64, price])?;
        }
    }
    Ok(())
}
