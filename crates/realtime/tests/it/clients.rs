//! The clients that people use, unmodified, against a running hub.

use std::path::Path;
use std::process::Stdio;

use crate::support::Server;
use crate::test_server::client_config;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_people_use_work_unmodified() {
    if std::env::var("PLINTH_CLIENT_TESTS").as_deref() != Ok("1") {
        eprintln!("skipped: set PLINTH_CLIENT_TESTS=1 to run the npm and PyPI clients");
        return;
    }
    let server = Server::with(client_config()).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/run.sh");
    let output = tokio::process::Command::new(script)
        .env("PLINTH_REALTIME_ADDRESS", server.address.to_string())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
}
