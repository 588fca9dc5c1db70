//! The orderly end.

use crate::support::{Answer, App, LAB_READ, Options};
use plinth_testkit::eventually;
use std::{sync::atomic::Ordering, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream};

#[tokio::test]
async fn what_is_under_way_is_finished_and_nothing_new_begins() {
    let app = App::start().await;
    let key = app.key(&[LAB_READ]).await;
    let mut busy = TcpStream::connect(app.address).await.unwrap();
    busy.write_all(
        format!("GET /v1/slow HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n").as_bytes(),
    )
    .await
    .unwrap();
    eventually("it works", || async { (app.lab.entered.load(Ordering::SeqCst) == 1).then_some(()) }).await;
    let mut idle = TcpStream::connect(app.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    idle.readable().await.unwrap();

    app.stop.cancel();
    // The idle connection is closed at once, although it was kept alive.
    assert_eq!(Answer::read(&mut idle).await.status, 200);
    eventually("nobody listens", || async { TcpStream::connect(app.address).await.is_err().then_some(()) })
        .await;
    assert!(!app.served.is_finished(), "the busy connection is waited for");
    app.lab.release.notify_waiters();
    let answer = Answer::read(&mut busy).await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    tokio::time::timeout(Duration::from_secs(10), app.served).await.expect("it ends").unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_does_not_end_is_not_waited_for_forever() {
    let app =
        App::with(Options { serve: Box::new(|serve| serve.drain_ms = 200), ..Options::default() }).await;
    let key = app.key(&[LAB_READ]).await;
    let mut busy = TcpStream::connect(app.address).await.unwrap();
    busy.write_all(
        format!("GET /v1/slow HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n").as_bytes(),
    )
    .await
    .unwrap();
    eventually("it works", || async { (app.lab.entered.load(Ordering::SeqCst) == 1).then_some(()) }).await;
    app.stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), app.served).await.expect("it ends").unwrap().unwrap();
}
