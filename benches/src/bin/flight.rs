//! Rows between executors beside a raw copy of the same bytes over TCP: `flight FOLDER MEGABYTES ROUNDS` starts two more
//! processes of itself, reads from one (`give`), and from it through the other (`relay`), and prints what that took.
//! FOLDER holds `ca.crt`, `process.crt` and `process.key`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use flowetl_benches::lineitem;
use flowetl_executor::bench::{Exchange, messages};
use flowetl_proto::trust::{Authority, Certificate, ClusterKey, Tls, Trust};
use futures::{TryStreamExt, stream};
use tokio::runtime::{Builder, Handle, Runtime};
use url::Url;

/// Rows of the batches: what the engine aims at, and what a reader of large batches makes.
const SIZES: [i64; 2] = [8_192, 65_536];
/// Rows that are made, and then given again and again.
const ROWS: i64 = 262_144;
/// What the raw copy reads at once.
const RAW_BYTES: usize = 256 << 10;
/// Hundredths of a second, in which Linux tells the CPU time of a process (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;
/// What executors of a cluster share; no secret in a measurement.
const KEY: &str = "the key of executors that are measured";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["give", folder, tls, megabytes] => give(Path::new(folder), tls == "tls", megabytes.parse()?),
        ["relay", folder, tls, url] => relay(Path::new(folder), tls == "tls", &url.parse()?),
        [folder, megabytes, rounds] => measure(Path::new(folder), megabytes, rounds.parse()?),
        _ => bail!("give FOLDER MEGABYTES ROUNDS"),
    }
}

/// The runtimes of an executor: one for connections, one on which rows are made.
fn runtimes() -> anyhow::Result<(Runtime, Runtime)> {
    let runtime = || Builder::new_multi_thread().enable_all().build();
    Ok((runtime()?, runtime()?))
}

async fn exchange(folder: &Path, tls: bool, data: Handle) -> anyhow::Result<Exchange> {
    let read = |name| std::fs::read(folder.join(name)).with_context(|| format!("cannot read `{name}`"));
    let tls = match tls {
        true => Some(Tls {
            authority: Authority::new(&read("ca.crt")?)?,
            own: Certificate::new(&read("process.crt")?, &read("process.key")?)?,
        }),
        false => None,
    };
    let trust = Trust { tls, key: Some(ClusterKey::new(KEY)?) };
    Ok(Exchange::open(trust, data, folder).await?)
}

/// The `n`th batch of so many rows, with text as the engine reads it.
fn batch(n: i64, rows: i64) -> anyhow::Result<RecordBatch> {
    let batch = lineitem(n, rows)?;
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let made = match column.data_type() {
            DataType::Utf8 => cast(column, &DataType::Utf8View)?,
            _ => Arc::clone(column),
        };
        Ok((field.name().clone(), made))
    });
    Ok(RecordBatch::try_from_iter(columns.collect::<anyhow::Result<Vec<_>>>()?)?)
}

/// Rows that are there, so many times.
#[derive(Debug)]
struct Again {
    batches: Vec<RecordBatch>,
    schema: SchemaRef,
    times: usize,
}

impl PartitionStream for Again {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (batches, count) = (self.batches.clone(), self.batches.len());
        let rows = stream::iter((0..self.times * count).map(move |n| Ok(batches[n % count].clone())));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

/// Rows of another executor.
struct Relayed {
    exchange: Arc<Exchange>,
    from: Url,
    number: usize,
    schema: SchemaRef,
}

impl std::fmt::Debug for Relayed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relayed({})", self.from)
    }
}

impl PartitionStream for Relayed {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.exchange.read(&self.from, self.number, Arc::clone(&self.schema))
    }
}

/// Gives rows, and their messages over plain TCP, until standard input ends.
fn give(folder: &Path, tls: bool, megabytes: usize) -> anyhow::Result<()> {
    let (control, data) = runtimes()?;
    let exchange = control.block_on(exchange(folder, tls, data.handle().clone()))?;
    let (mut offers, mut raw, mut said) = (Vec::new(), Vec::new(), String::new());
    for (number, rows) in SIZES.into_iter().enumerate() {
        let batches = (0..ROWS / rows).map(|n| batch(n, rows)).collect::<anyhow::Result<Vec<_>>>()?;
        let schema = batches[0].schema();
        let written = control.block_on(messages(Arc::clone(&schema), batches.clone()))?;
        let bytes: usize = written.iter().map(Vec::len).sum();
        let times = (megabytes * 1_000_000).div_ceil(bytes);
        said += &format!(" {} {}", bytes * times, batches.len() * times);
        offers.push(exchange.offer(number, Arc::new(Again { batches, schema, times }))?);
        raw.push((written, times));
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    say(&format!("{} {}{said}", exchange.url(), listener.local_addr()?))?;
    std::thread::spawn(move || {
        // Whoever has read enough goes.
        listener.incoming().flatten().for_each(|stream| drop(copy(stream, &raw)));
    });
    until_end()
}

/// Answers a number with its messages.
fn copy(mut stream: TcpStream, raw: &[(Vec<Vec<u8>>, usize)]) -> std::io::Result<()> {
    let mut number = [0];
    stream.read_exact(&mut number)?;
    let (written, times) = &raw[usize::from(number[0])];
    for message in (0..*times).flat_map(|_| written) {
        stream.write_all(message)?;
    }
    Ok(())
}

/// Gives what it reads from the executor at `from`, until standard input ends.
fn relay(folder: &Path, tls: bool, from: &Url) -> anyhow::Result<()> {
    let (control, data) = runtimes()?;
    let exchange = Arc::new(control.block_on(exchange(folder, tls, data.handle().clone()))?);
    let mut offers = Vec::new();
    for (number, rows) in SIZES.into_iter().enumerate() {
        let (exchange, from, schema) = (Arc::clone(&exchange), from.clone(), batch(0, rows)?.schema());
        let relayed = Relayed { exchange: Arc::clone(&exchange), from, number, schema };
        offers.push(exchange.offer(number, Arc::new(relayed))?);
    }
    say(exchange.url().as_str())?;
    until_end()
}

#[expect(clippy::print_stdout, reason = "whoever started this process reads it")]
fn say(line: &str) -> anyhow::Result<()> {
    println!("{line}");
    Ok(std::io::stdout().flush()?)
}

fn until_end() -> anyhow::Result<()> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Another process of this program, and what it has said.
struct Other {
    child: Child,
    said: Vec<String>,
}

impl Other {
    fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let program: PathBuf = std::env::current_exe()?;
        let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("it has no output")?).read_line(&mut line)?;
        let said: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        ensure!(!said.is_empty(), "`{}` has said nothing", arguments[0]);
        Ok(Self { child, said })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends with its input; what it says then is of no interest.
        drop(self.child.wait());
    }
}

/// What one way of moving the rows took, in seconds of the clock and of all processes' CPU, in the median of all rounds.
#[derive(Clone, Copy)]
struct Taken {
    clock: f64,
    cpu: f64,
}

/// A way of moving the rows of one size.
struct Way<'a> {
    name: &'static str,
    run: Box<dyn Fn(u8) -> anyhow::Result<()> + 'a>,
    pids: Vec<u32>,
}

fn measure(folder: &Path, megabytes: &str, rounds: usize) -> anyhow::Result<()> {
    let (control, data) = runtimes()?;
    let words = |tls| if tls { "tls" } else { "clear" };
    let path = folder.to_str().context("the folder is no text")?;
    let (mut exchanges, mut givers, mut relays) = (Vec::new(), Vec::new(), Vec::new());
    for tls in [false, true] {
        exchanges.push(control.block_on(exchange(folder, tls, data.handle().clone()))?);
        let giver = Other::start(&["give", path, words(tls), megabytes])?;
        relays.push(Other::start(&["relay", path, words(tls), &giver.said[0]])?);
        givers.push(giver);
    }
    let total = |number: usize, of: usize| -> anyhow::Result<f64> { Ok(givers[0].said[2 + 2 * number + of].parse()?) };
    let own = std::process::id();
    let read = |tls: usize, from: &Other, number: u8| -> anyhow::Result<()> {
        let schema = batch(0, 1)?.schema();
        let (url, wanted) = (from.said[0].parse()?, total(usize::from(number), 1)? as i64);
        let reading = async {
            let mut rows = exchanges[tls].read(&url, usize::from(number), schema);
            let mut count = 0;
            while let Some(batch) = rows.try_next().await? {
                count += batch.num_rows() as i64;
            }
            ensure!(count == wanted * SIZES[usize::from(number)], "rows are missing: {count} came");
            Ok(())
        };
        data.block_on(reading)
    };
    let mut ways = vec![Way {
        name: "raw copy",
        run: Box::new(|number| raw_copy(&givers[0].said[1], number)),
        pids: vec![own, givers[0].child.id()],
    }];
    let names = [["one hop", "two hops"], ["one hop, tls", "two hops, tls"]];
    for tls in 0..2 {
        let (giver, relay) = (&givers[tls], &relays[tls]);
        let pids = vec![own, giver.child.id()];
        let run = Box::new(move |number| read(tls, giver, number));
        ways.push(Way { name: names[tls][0], run, pids: pids.clone() });
        let run = Box::new(move |number| read(tls, relay, number));
        ways.push(Way { name: names[tls][1], run, pids: [pids, vec![relay.child.id()]].concat() });
    }
    for (number, rows) in SIZES.into_iter().enumerate() {
        let mut rounds_taken = vec![Vec::new(); ways.len()];
        // The first round warms up.
        for round in 0..=rounds {
            for (way, taken) in ways.iter().zip(&mut rounds_taken) {
                let (cpu, begun) = (cpu_seconds(&way.pids)?, Instant::now());
                (way.run)(number as u8)?;
                let one = Taken { clock: begun.elapsed().as_secs_f64(), cpu: cpu_seconds(&way.pids)? - cpu };
                if round > 0 {
                    taken.push(one);
                }
            }
        }
        let taken: Vec<Taken> = rounds_taken.iter().map(|taken| median(taken)).collect();
        report(rows, total(number, 0)?, total(number, 1)?, &ways, &taken)?;
    }
    Ok(())
}

fn raw_copy(address: &str, number: u8) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(&[number])?;
    let mut bytes = vec![0; RAW_BYTES];
    while stream.read(&mut bytes)? > 0 {}
    Ok(())
}

fn report(rows: i64, bytes: f64, batches: f64, ways: &[Way<'_>], taken: &[Taken]) -> anyhow::Result<()> {
    say(&format!("batches of {rows} rows, {:.2} MB each, {:.0} MB", bytes / batches / 1e6, bytes / 1e6))?;
    say("                   GB/s   of raw   CPU s/GB")?;
    for (way, one) in ways.iter().zip(taken) {
        let (speed, share, cpu) = (bytes / one.clock / 1e9, taken[0].clock / one.clock, one.cpu / bytes * 1e9);
        say(&format!("  {:<14} {speed:>6.2}  {:>6.0} %  {cpu:>9.2}", way.name, share * 100.0))?;
    }
    for (what, one, two) in [("", taken[1], taken[2]), (", tls", taken[3], taken[4])] {
        let micros = |seconds: f64| seconds / batches * 1e6;
        let (clock, cpu) = (micros(two.clock - one.clock), micros(two.cpu - one.cpu));
        say(&format!("  one more hop{what}: {clock:.0} us of the clock and {cpu:.0} us of CPU a batch"))?;
    }
    Ok(())
}

fn median(taken: &[Taken]) -> Taken {
    let middle = |of: fn(&Taken) -> f64| {
        let mut values: Vec<f64> = taken.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Taken { clock: middle(|one| one.clock), cpu: middle(|one| one.cpu) }
}

/// CPU time of these processes so far, user and system.
fn cpu_seconds(pids: &[u32]) -> anyhow::Result<f64> {
    let mut ticks = 0.0;
    for pid in pids {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name in parentheses may hold blanks; the fields after it are the 3rd and on.
        let (_, fields) = stat.rsplit_once(')').context("`/proc` is not as Linux has it")?;
        for field in fields.split_whitespace().skip(11).take(2) {
            ticks += field.parse::<f64>()?;
        }
    }
    Ok(ticks / TICKS_PER_SECOND)
}
