//! Times the crate `cron` over the expressions of a file, as bench_next.c does.
use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;
use cron::Schedule;
use std::str::FromStr;
use std::time::Instant;

const STEPS: usize = 1000;
const ROUNDS: usize = 5;

/// One call for each step, as a scheduler asks: strictly after the last instant.
fn best(schedule: &Schedule, start: DateTime<Tz>) -> f64 {
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        let mut at = start;
        let from = Instant::now();
        for _ in 0..STEPS {
            at = schedule.after(&at).next().unwrap_or(start);
        }
        least = least.min(from.elapsed().as_nanos() as f64 / STEPS as f64);
    }
    least
}

/// The same by one iterator, which remembers where it is.
fn best_iterator(schedule: &Schedule, start: DateTime<Tz>) -> f64 {
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        let from = Instant::now();
        let taken = schedule.after(&start).take(STEPS).count().max(1);
        least = least.min(from.elapsed().as_nanos() as f64 / taken as f64);
    }
    least
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let file = std::fs::read_to_string(&arguments[1]).unwrap();
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        if columns.len() < 3 {
            continue;
        }
        let Ok(schedule) = Schedule::from_str(columns[2]) else { continue };
        for name in &arguments[2..] {
            let zone: Tz = name.parse().unwrap();
            let start = zone.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap();
            println!("cron (Rust)\t{}\t{}\t{}\t{:.2}", name, columns[0], columns[1],
                     best(&schedule, start));
            println!("cron (Rust), iterator\t{}\t{}\t{}\t{:.2}", name, columns[0], columns[1],
                     best_iterator(&schedule, start));
        }
    }
}
