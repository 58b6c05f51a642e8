//! Cases from outside: what public bug reports of people who do this job say went wrong for them. Each kind is a table; the test
//! prints how many of its cases came out right, and fails with each that did not.

mod answers;
mod bed;
mod characters;
mod html_fields;
mod intake;
mod moved;
mod new_user;
mod numbers;
mod refresh;
mod search;

use anyhow::Result;
use std::fmt::{Debug, Write as _};

/// The cases of one kind.
struct Kind {
    name: &'static str,
    cases: usize,
    wrong: Vec<String>,
}

impl Kind {
    fn new(name: &'static str) -> Self {
        Self { name, cases: 0, wrong: Vec::new() }
    }

    /// Notes how a case came out.
    fn case<T: PartialEq + Debug>(&mut self, name: impl Into<String>, found: T, expected: T) {
        self.cases += 1;
        if found != expected {
            self.wrong.push(format!("{}: {found:?}, not {expected:?}", name.into()));
        }
    }
}

/// The fewest cases of a kind.
const FEWEST: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_from_outside_comes_out_right() -> Result<()> {
    let mut kinds = vec![
        refresh::cases().await?,
        answers::cases().await?,
        moved::cases().await?,
        characters::cases().await?,
        search::cases().await?,
        html_fields::cases().await?,
        numbers::cases().await?,
        intake::cases()?,
    ];
    kinds.extend(new_user::kinds().await?);
    let mut table = String::new();
    let mut wrong = String::new();
    for kind in &kinds {
        writeln!(table, "{:>4} of {:>3}  {}", kind.cases - kind.wrong.len(), kind.cases, kind.name)?;
        for case in &kind.wrong {
            writeln!(wrong, "{}: {case}", kind.name)?;
        }
        assert!(kind.cases >= FEWEST, "{} has too few cases", kind.name);
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{table}\n{wrong}");
    Ok(())
}
