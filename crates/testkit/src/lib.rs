//! What tests share: a fresh store on either engine, a private PostgreSQL server, a clock to move, and a harness that
//! kills a process under load.
//!
//! ```text
//! plinth_testkit::both_engines! {
//!     /// Says what must hold.
//!     async fn an_unpublished_form_takes_no_submission(store: TestStore) {
//!         store.migrate("forms", MIGRATIONS).await.unwrap();
//!         …
//!     }
//! }
//! ```
//!
//! A test of both engines needs PostgreSQL 15 or later on the machine (`apt-get install postgresql`); where it is
//! missing the test fails and says so, it is never skipped.
#![deny(missing_docs)]
#![forbid(unsafe_code)]
// A test may fail loudly: this crate is for tests alone.
#![allow(clippy::expect_used, clippy::unwrap_used)]

pub mod kill;
pub mod postgres;
mod store;
mod wait;

pub use plinth_store::Engine;
pub use store::{TestStore, TestStoreBuilder};
pub use wait::eventually;

/// Runs a future to its end on a runtime of its own, as every test of [`both_engines!`] does.
pub fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a tokio runtime starts");
    runtime.block_on(test)
}

/// Makes two tests of one body: `name::sqlite` and `name::postgres`, each with a fresh store in the system's time.
///
/// The parameter is a [`TestStore`], which dereferences to a [`Store`](plinth_store::Store). A second form takes a
/// builder: `both_engines! { with (|builder| builder.manual_clock(1)) async fn name(store: TestStore) { … } }`.
#[macro_export]
macro_rules! both_engines {
    ($(
        $(#[$meta:meta])*
        $(with ($configure:expr))?
        async fn $name:ident($store:ident: TestStore) $body:block
    )+) => { $(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn promise($store: $crate::TestStore) $body

            fn run(engine: $crate::Engine) {
                let builder = $crate::TestStore::builder(engine);
                $( let configure: fn($crate::TestStoreBuilder) -> $crate::TestStoreBuilder = $configure;
                   let builder = configure(builder); )?
                $crate::run(async move { promise(builder.open().await).await });
            }

            #[test]
            fn sqlite() { run($crate::Engine::Sqlite) }

            #[test]
            fn postgres() { run($crate::Engine::Postgres) }
        }
    )+ };
}
