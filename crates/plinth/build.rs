//! Chooses the console that is embedded: `$PLINTH_CONSOLE_PACK`, else the committed snapshot. No network, no Node.

#![allow(clippy::expect_used)] // a build that cannot go on should say so and stop

use std::{env, fs, path::PathBuf};

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let committed = here.join("assets/console.pack");
    println!("cargo::rerun-if-env-changed=PLINTH_CONSOLE_PACK");
    println!("cargo::rerun-if-changed={}", committed.display());
    let chosen = env::var_os("PLINTH_CONSOLE_PACK").map_or(committed, PathBuf::from);
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("console.pack");
    if let Err(error) = fs::copy(&chosen, &out) {
        panic!("the console's snapshot {} cannot be read ({error}): run `make console`", chosen.display());
    }
}
