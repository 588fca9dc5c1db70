//! A hub for clients to be tried against: prints its address, and ends when its standard input does.
//!
//! Tokens are JSON texts, for instance `{"user":"ann"}`; `POST /test/publish {"channel","data"}` publishes and
//! `POST /test/reconnect {"user"}` sends a user's connections away for a moment.

#[path = "../tests/it/test_server.rs"]
mod test_server;
#[path = "../tests/it/token_auth.rs"]
mod token_auth;

use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (_hub, address) = test_server::start(test_server::client_config()).await?;
    println!("{address}");
    let mut nothing = Vec::new();
    tokio::io::stdin().read_to_end(&mut nothing).await?;
    Ok(())
}
